using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using ConvNet.Data.Checkpoints;

namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>Makes every job a <see cref="ToyRuntime"/>, with checkpoints in a folder.</summary>
internal sealed class ToyPreparation(ToyRuntime runtime, ITensorTransport transport, string folder, CheckpointPolicy policy) : IJobPreparation
{
    public Task<JobSpec> CheckAsync(JobSpec spec) => spec.Data == "nowhere"
        ? throw new JobServiceException(JobServiceProblem.Invalid, "data: nowhere is not there.")
        : Task.FromResult(spec);

    public Task<IPreparedAttempt> PrepareAsync(JobRecord job) =>
        Task.FromResult<IPreparedAttempt>(new Prepared(runtime, transport, job.Spec, new CheckpointFolder(Path.Combine(folder, job.Id), "toy"), policy));

    public string ModelFolder(string id) => $"models/{id}";

    private sealed class Prepared : IPreparedAttempt
    {
        private readonly ITensorTransport _transport;
        private readonly JobSpec _spec;
        private readonly CheckpointFolder _checkpoints;
        private readonly CheckpointPolicy _policy;
        private readonly StartingPoint? _from;

        public Prepared(ToyRuntime runtime, ITensorTransport transport, JobSpec spec, CheckpointFolder checkpoints, CheckpointPolicy policy)
        {
            (Definition, _transport, _spec, _checkpoints, _policy) = (runtime, transport, spec, checkpoints, policy);
            (var newest, Warnings) = checkpoints.ReadNewest();
            _from = newest is null ? null : new(newest);
        }

        public long Step => _from?.Step ?? 0;

        public IJobDefinition Definition { get; }

        public IReadOnlyList<string> Warnings { get; }

        public int[] Place(int serverNodes) => ShardPlacement.Of(Definition.Layout, serverNodes);

        public CoordinatorJob Coordinate(string target, IActorRef[] servers, IJobObserver observer) =>
            new(target, _spec, Definition, servers, [], _transport, TimeProvider.System, observer)
            {
                WaitsForWorkers = true,
                From = _from,
                Checkpoints = (_policy, (step, state, optimizer, planes, epochs, best) => _checkpoints.Write(step, [], state, optimizer, planes, epochs, _policy.Keep, best)),
            };

        public Task SaveModelAsync(JobResult result) => Task.CompletedTask;

        public void Dispose() => _from?.Dispose();
    }
}
