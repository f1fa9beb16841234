using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;

namespace ConvNet.Cluster.Management;

/// <summary>What a job manager needs of files: data, checkpoints and models. May be slow; called away from the actors' threads.</summary>
internal interface IJobPreparation
{
    /// <summary>Checks that a job can be run: its data is there, and its model fits it.</summary>
    /// <returns>The job as it is to be kept: with the hash of the weights that it begins with, where it names a file of them.</returns>
    /// <exception cref="JobServiceException">It cannot.</exception>
    Task<JobSpec> CheckAsync(JobSpec spec);

    /// <summary>Makes the next attempt at a job ready.</summary>
    /// <exception cref="JobServiceException">It cannot be run.</exception>
    Task<IPreparedAttempt> PrepareAsync(JobRecord job);

    /// <summary>Where the model of a job is kept, once it is done.</summary>
    string ModelFolder(string id);
}

/// <summary>An attempt that can begin. Dispose it when it is over.</summary>
internal interface IPreparedAttempt : IDisposable
{
    /// <summary>The step at which it begins.</summary>
    long Step { get; }

    /// <summary>Epochs and steps.</summary>
    IJobDefinition Definition { get; }

    /// <summary>What had to be passed over, such as a damaged checkpoint.</summary>
    IReadOnlyList<string> Warnings { get; }

    /// <summary>What is to be told of its beginning, a line each; nothing where it goes on from a checkpoint.</summary>
    IReadOnlyList<string> Beginning => [];

    /// <summary>For a number of server nodes, the server node of each shard.</summary>
    int[] Place(int serverNodes);

    /// <summary>What the coordinator is given.</summary>
    CoordinatorJob Coordinate(string target, Akka.Actor.IActorRef[] servers, IJobObserver observer);

    /// <summary>Keeps the model, in place of any before.</summary>
    Task SaveModelAsync(JobResult result);
}
