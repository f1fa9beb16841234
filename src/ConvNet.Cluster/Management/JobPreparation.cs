using System.Globalization;
using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cluster.Management;

/// <summary>Makes jobs ready on a coordinator's node: its data, its work directory.</summary>
/// <param name="workDirectory">Where a job has a folder of its own, <c>jobs/j7</c>.</param>
/// <param name="transport">The node's data plane.</param>
/// <param name="clock">For throughput.</param>
internal sealed class JobPreparation(string workDirectory, ITensorTransport transport, TimeProvider clock) : IJobPreparation
{
    /// <inheritdoc/>
    public Task CheckAsync(JobSpec spec)
    {
        _ = Load(spec);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<IPreparedAttempt> PrepareAsync(JobRecord job) =>
        Task.FromResult<IPreparedAttempt>(new Prepared(job, Load(job.Spec), ModelFolder(job.Id), transport, clock));

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

    private sealed class Prepared(JobRecord record, (DataSplits Data, NetworkJob Job) loaded, string modelFolder, ITensorTransport transport, TimeProvider clock) : IPreparedAttempt
    {
        public long Step => 0;

        public IJobRuntime Runtime => loaded.Job;

        public IReadOnlyList<string> Warnings => [];

        public int[] Place(int serverNodes) => ShardPlacement.Of(loaded.Job.Layout, serverNodes);

        public CoordinatorJob Coordinate(string target, IActorRef[] servers, IJobObserver observer) =>
            new(target, record.Spec, loaded.Job, servers, [], transport, clock, observer);

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

        public void Dispose()
        {
        }
    }
}
