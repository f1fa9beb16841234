using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>Makes attempts at synthetic jobs ready: no data, no checkpoints, and models are not kept.</summary>
/// <param name="transport">The coordinator's data plane.</param>
/// <param name="stepped">Is told of each step.</param>
internal sealed class SyntheticPreparation(ITensorTransport transport, Action<long> stepped) : IJobPreparation
{
    public Task<JobSpec> CheckAsync(JobSpec spec) => Task.FromResult(spec);

    public Task<IPreparedAttempt> PrepareAsync(JobRecord job) => Task.FromResult<IPreparedAttempt>(new Prepared(job.Spec, transport, stepped));

    public string ModelFolder(string id) => throw new JobServiceException(JobServiceProblem.NotFound, $"{id} keeps no model.");

    private sealed class Prepared(JobSpec spec, ITensorTransport transport, Action<long> stepped) : IPreparedAttempt
    {
        public long Step => 0;

        public IJobDefinition Definition { get; } = new SyntheticJob(spec, recorder: null);

        public IReadOnlyList<string> Warnings => [];

        public int[] Place(int serverNodes) => ShardPlacement.Of(Definition.Layout, serverNodes);

        public CoordinatorJob Coordinate(string target, IActorRef[] servers, IJobObserver observer) =>
            new(target, spec, Definition, servers, [], transport, TimeProvider.System, new Tee(observer, stepped)) { WaitsForWorkers = true };

        public Task SaveModelAsync(JobResult result) => Task.CompletedTask;

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    private sealed class Tee(IJobObserver observer, Action<long> stepped) : IJobObserver
    {
        public void On(JobEvent happened)
        {
            observer.On(happened);
            if (happened is JobEvent.Stepped step)
                stepped(step.Step);
        }
    }
}
