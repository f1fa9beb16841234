using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Jobs;

/// <summary>Makes jobs ready on this node. May be slow, since data may have to come over the network: called away from the actors' threads, for each part of a job on the node.</summary>
internal interface IJobRuntimes
{
    /// <summary>For a parameter server, which needs no data.</summary>
    /// <param name="job">The job.</param>
    /// <param name="data">What it is trained on; null where this node knows.</param>
    Task<IJobDefinition> DefineAsync(JobSpec job, DataOrigin? data);

    /// <summary>For a worker.</summary>
    /// <param name="job">The job.</param>
    /// <param name="data">What it is trained on and where to get it; null where this node knows.</param>
    /// <param name="stop">The worker is not needed any more.</param>
    Task<IJobRuntime> PrepareAsync(JobSpec job, DataOrigin? data, CancellationToken stop);
}

/// <summary>One job, ready already: that of a run in one process.</summary>
internal sealed class GivenRuntime(IJobRuntime runtime) : IJobRuntimes
{
    public Task<IJobDefinition> DefineAsync(JobSpec job, DataOrigin? data) => Task.FromResult<IJobDefinition>(runtime);

    public Task<IJobRuntime> PrepareAsync(JobSpec job, DataOrigin? data, CancellationToken stop) => Task.FromResult(runtime);
}
