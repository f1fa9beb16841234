using System.Globalization;
using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.DataSets;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cluster.Management;

/// <summary>Makes jobs ready on a coordinator's node: its data, its work directory.</summary>
/// <param name="data">The node's data sets.</param>
/// <param name="workDirectory">Where a job has a folder of its own, <c>jobs/j7</c>.</param>
/// <param name="transport">The node's data plane.</param>
/// <param name="clock">For throughput.</param>
internal sealed class JobPreparation(CoordinatorData data, string workDirectory, ITensorTransport transport, TimeProvider clock) : IJobPreparation
{
    /// <inheritdoc/>
    public Task CheckAsync(JobSpec spec) => Explained(async () => new NetworkJobDefinition(spec, await data.DescribeAsync(spec.Data).ConfigureAwait(false)));

    /// <inheritdoc/>
    public Task<IPreparedAttempt> PrepareAsync(JobRecord job) => Explained<IPreparedAttempt>(async () =>
    {
        var offered = await data.OfferAsync(job.Spec.Data).ConfigureAwait(false);
        try
        {
            return new Prepared(job, new NetworkJobDefinition(job.Spec, offered.Description), offered, ModelFolder(job.Id), transport, clock);
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
        catch (Exception e) when (e is DataException or ShapeException)
        {
            throw new JobServiceException(JobServiceProblem.Invalid, e.Message);
        }
    }

    private sealed class Prepared(
        JobRecord record, NetworkJobDefinition job, OfferedData data, string modelFolder, ITensorTransport transport, TimeProvider clock) : IPreparedAttempt
    {
        public long Step => 0;

        public IJobDefinition Runtime => job;

        public IReadOnlyList<string> Warnings => [];

        public int[] Place(int serverNodes) => ShardPlacement.Of(job.Layout, serverNodes);

        public CoordinatorJob Coordinate(string target, IActorRef[] servers, IJobObserver observer) =>
            new(target, record.Spec, job, servers, [], transport, clock, observer, data.Origin);

        public Task SaveModelAsync(JobResult result)
        {
            var model = new TrainedModel(job.Network, result.State[..job.Network.ParameterCount].ToArray(), data.Description.ClassNames, data.Description.Normalisation);
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

        public void Dispose() => data.Dispose();
    }
}
