using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.DataSets;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Checkpoints;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cluster.Management;

/// <summary>Makes jobs ready on a coordinator's node: its data, its work directory.</summary>
/// <param name="data">The node's data sets.</param>
/// <param name="workDirectory">Where a job has a folder of its own, <c>jobs/j7</c>.</param>
/// <param name="policy">How often checkpoints are written.</param>
/// <param name="transport">The node's data plane.</param>
/// <param name="clock">For throughput.</param>
internal sealed class JobPreparation(CoordinatorData data, string workDirectory, CheckpointPolicy policy, ITensorTransport transport, TimeProvider clock) : IJobPreparation
{
    /// <inheritdoc/>
    public Task<JobSpec> CheckAsync(JobSpec spec) => Explained(async () =>
    {
        var saved = await data.ReadInitialAsync(spec.Init).ConfigureAwait(false);
        var job = new NetworkJobDefinition(spec, await data.DescribeAsync(spec.Data, spec.SkipCorrupt).ConfigureAwait(false), saved);
        _ = new ExecutionPlan(job.Network, spec.MicroBatch);     // as every worker will: what no lane can hold is said now
        return job.Spec;
    });

    /// <inheritdoc/>
    public Task<IPreparedAttempt> PrepareAsync(JobRecord job) => Explained<IPreparedAttempt>(async () =>
    {
        var offered = await data.OfferAsync(job.Spec.Data, job.Spec.SkipCorrupt).ConfigureAwait(false);
        try
        {
            var checkpoints = new CheckpointFolder(Path.Combine(workDirectory, "jobs", job.Id, "checkpoints"), Fingerprint(job.Spec, offered.Origin));
            var (newest, warnings) = checkpoints.ReadNewest();

            // A checkpoint has all that the file gave; the job's fingerprint, with the file's hash in it, says that it is of this job.
            var saved = newest is null ? await data.ReadInitialAsync(job.Spec.Init).ConfigureAwait(false) : null;
            var definition = new NetworkJobDefinition(job.Spec, offered.Description, saved);
            if (newest is not null && (newest.State.Length != definition.Layout.StateLength || newest.Manifest.Step > definition.Plan.TotalSteps))
                throw new JobServiceException(JobServiceProblem.Invalid, $"the checkpoint of step {newest.Manifest.Step} of {job.Id} does not fit its model.");
            return new Prepared(job, definition, offered, ModelFolder(job.Id), checkpoints, newest, warnings, policy, transport, clock);
        }
        catch
        {
            offered.Dispose();
            throw;
        }
    });

    /// <inheritdoc/>
    public string ModelFolder(string id) => Path.Combine(workDirectory, "jobs", id, "model");

    /// <summary>What is wrong with a job's data or model is said to whoever submitted it.</summary>
    private static async Task<T> Explained<T>(Func<Task<T>> prepare)
    {
        try
        {
            return await prepare().ConfigureAwait(false);
        }
        catch (Exception e) when (e is DataException or ShapeException or JobFileException)
        {
            throw new JobServiceException(JobServiceProblem.Invalid, e.Message);
        }
    }

    /// <summary>Only a job with the same settings and the same data may go on with a checkpoint.</summary>
    private static string Fingerprint(JobSpec spec, DataOrigin data) =>
        Convert.ToHexStringLower(SHA256.HashData([.. JsonSerializer.SerializeToUtf8Bytes(spec, ManagementJson.Options), .. Encoding.UTF8.GetBytes(data.ContentHash)]));

    private sealed class Prepared(
        JobRecord record, NetworkJobDefinition job, OfferedData data, string modelFolder, CheckpointFolder checkpoints, Checkpoint? newest,
        IReadOnlyList<string> warnings, CheckpointPolicy policy, ITensorTransport transport, TimeProvider clock) : IPreparedAttempt
    {
        private readonly StartingPoint? _from = newest is not null ? new(newest) : job.HasInitialWeights ? new(job) : null;

        public long Step => _from?.Step ?? 0;

        public IJobDefinition Definition => job;

        public IReadOnlyList<string> Warnings => warnings;

        public IReadOnlyList<string> Beginning => Step > 0 ? [] : job.Beginning;

        public int[] Place(int serverNodes) => ShardPlacement.Of(job.Layout, serverNodes);

        public CoordinatorJob Coordinate(string target, IActorRef[] servers, IJobObserver observer) =>
            new(target, record.Spec, job, servers, [], transport, clock, observer)
            {
                Data = data.Origin,
                WaitsForWorkers = true,
                From = _from,
                Checkpoints = (policy, WriteCheckpoint),
            };

        public Task SaveModelAsync(JobResult result)
        {
            var model = new TrainedModel(job.Network, result.State.ToArray(), data.Description.ClassNames, data.Description.Normalisation);
            var origin = new Dictionary<string, string>
            {
                ["job"] = record.Id,
                ["data"] = record.Spec.Data,
                ["epochs"] = record.Spec.Epochs.ToString(CultureInfo.InvariantCulture),
                ["steps"] = result.Version.ToString(CultureInfo.InvariantCulture),
                ["batch"] = record.Spec.Batch.ToString(CultureInfo.InvariantCulture),
                ["microBatch"] = record.Spec.MicroBatch.ToString(CultureInfo.InvariantCulture),
                ["seed"] = record.Spec.Seed.ToString(CultureInfo.InvariantCulture),
            };
            BeginningFields.Tell(record.Spec, origin);
            ModelFile.Save(modelFolder, model, origin);
            return Task.CompletedTask;
        }

        public void Dispose()
        {
            _from?.Dispose();
            data.Dispose();
        }

        private (string Folder, long Bytes) WriteCheckpoint(
            long step, ReadOnlySpan<float> state, ReadOnlySpan<float> optimizer, int planes, IReadOnlyList<CheckpointEpoch> epochs, ReadOnlySpan<float> best)
        {
            return checkpoints.Write(step, NamedTensor.Of(job.Network), state, optimizer, planes, epochs, policy.Keep, best);
        }
    }
}
