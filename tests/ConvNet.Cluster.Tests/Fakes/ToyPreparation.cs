using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>Makes every job a <see cref="ToyRuntime"/>; the hashes of the models that were kept are here.</summary>
internal sealed class ToyPreparation(ToyRuntime runtime, ITensorTransport transport) : IJobPreparation
{
    public Task CheckAsync(JobSpec spec) => spec.Data == "nowhere"
        ? throw new JobServiceException(JobServiceProblem.Invalid, "data: nowhere is not there.")
        : Task.CompletedTask;

    public Task<IPreparedAttempt> PrepareAsync(JobRecord job) => Task.FromResult<IPreparedAttempt>(new Prepared(runtime, transport, job.Spec));

    public string ModelFolder(string id) => $"models/{id}";

    private sealed class Prepared(ToyRuntime runtime, ITensorTransport transport, JobSpec spec) : IPreparedAttempt
    {
        public long Step => 0;

        public IJobDefinition Runtime => runtime;

        public IReadOnlyList<string> Warnings => [];

        public int[] Place(int serverNodes) => ShardPlacement.Of(runtime.Layout, serverNodes);

        public CoordinatorJob Coordinate(string target, IActorRef[] servers, IJobObserver observer) =>
            new(target, spec, runtime, servers, [], transport, TimeProvider.System, observer);

        public Task SaveModelAsync(JobResult result) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
