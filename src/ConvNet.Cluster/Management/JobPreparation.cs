using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Checkpoints;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cluster.Management;

/// <summary>Makes jobs ready on a coordinator's node: its data, its work directory.</summary>
/// <param name="workDirectory">Where a job has a folder of its own, <c>jobs/j7</c>.</param>
/// <param name="policy">How often checkpoints are written.</param>
/// <param name="transport">The node's data plane.</param>
/// <param name="clock">For throughput.</param>
internal sealed class JobPreparation(string workDirectory, CheckpointPolicy policy, ITensorTransport transport, TimeProvider clock) : IJobPreparation
{
    /// <inheritdoc/>
    public Task CheckAsync(JobSpec spec)
    {
        _ = Load(spec);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<IPreparedAttempt> PrepareAsync(JobRecord job)
    {
        var loaded = Load(job.Spec);
        var checkpoints = new CheckpointFolder(Path.Combine(workDirectory, "jobs", job.Id, "checkpoints"), Fingerprint(job.Spec));
        var (newest, warnings) = checkpoints.ReadNewest();
        if (newest is not null && (newest.State.Length != loaded.Job.Layout.StateLength || newest.Manifest.Step > loaded.Job.Plan.TotalSteps))
            throw new JobServiceException(JobServiceProblem.Invalid, $"the checkpoint of step {newest.Manifest.Step} of {job.Id} does not fit its model or its data; have they changed since?");
        return Task.FromResult<IPreparedAttempt>(new Prepared(job, loaded, ModelFolder(job.Id), checkpoints, newest, warnings, policy, transport, clock));
    }

    /// <inheritdoc/>
    public string ModelFolder(string id) => Path.Combine(workDirectory, "jobs", id, "model");

    private static (DataSplits Data, NetworkJob Job) Load(JobSpec spec)
    {
        try
        {
            var data = DataSource.Load(spec.Data);
            return (data, new NetworkJob(spec, data));
        }
        catch (Exception e) when (e is DataException or ShapeException)
        {
            throw new JobServiceException(JobServiceProblem.Invalid, e.Message);
        }
    }

    /// <summary>Only a job with the same settings may go on with a checkpoint.</summary>
    private static string Fingerprint(JobSpec spec) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(spec, ManagementJson.Options)));

    private sealed class Prepared(
        JobRecord record, (DataSplits Data, NetworkJob Job) loaded, string modelFolder, CheckpointFolder checkpoints, Checkpoint? newest,
        IReadOnlyList<string> warnings, CheckpointPolicy policy, ITensorTransport transport, TimeProvider clock) : IPreparedAttempt
    {
        private readonly StartingPoint? _from = newest is null ? null : new(newest);

        public long Step => _from?.Step ?? 0;

        public IJobRuntime Runtime => loaded.Job;

        public IReadOnlyList<string> Warnings => warnings;

        public int[] Place(int serverNodes) => ShardPlacement.Of(loaded.Job.Layout, serverNodes);

        public CoordinatorJob Coordinate(string target, IActorRef[] servers, IJobObserver observer) =>
            new(target, record.Spec, loaded.Job, servers, [], transport, clock, observer)
            {
                WaitsForWorkers = true,
                From = _from,
                Checkpoints = (policy, WriteCheckpoint),
            };

        public Task SaveModelAsync(JobResult result)
        {
            var (data, job) = loaded;
            var model = new TrainedModel(job.Network, result.State[..job.Network.ParameterCount].ToArray(), data.Training.ClassNames, data.Normalisation);
            ModelFile.Save(modelFolder, model, new Dictionary<string, string>
            {
                ["job"] = record.Id,
                ["data"] = record.Spec.Data,
                ["epochs"] = record.Spec.Epochs.ToString(CultureInfo.InvariantCulture),
                ["steps"] = result.Version.ToString(CultureInfo.InvariantCulture),
                ["batch"] = record.Spec.Batch.ToString(CultureInfo.InvariantCulture),
                ["microBatch"] = record.Spec.MicroBatch.ToString(CultureInfo.InvariantCulture),
                ["seed"] = record.Spec.Seed.ToString(CultureInfo.InvariantCulture),
            });
            return Task.CompletedTask;
        }

        public void Dispose() => _from?.Dispose();

        private (string Folder, long Bytes) WriteCheckpoint(
            long step, ReadOnlySpan<float> state, ReadOnlySpan<float> optimizer, int planes, IReadOnlyList<CheckpointEpoch> epochs)
        {
            NamedTensor[] tensors = [.. loaded.Job.Network.Parameters.Select(p => new NamedTensor(p.Name, p.Shape, p.Offset))];
            return checkpoints.Write(step, tensors, state, optimizer, planes, epochs, policy.Keep);
        }
    }
}
