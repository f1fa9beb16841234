using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Data;

namespace ConvNet.Cluster.DataSets;

/// <summary>Makes jobs of the model zoo ready on a node of a cluster.</summary>
/// <param name="data">The node's data sets.</param>
internal sealed class NodeRuntimes(NodeData data) : IJobRuntimes
{
    /// <inheritdoc/>
    public Task<IJobDefinition> DefineAsync(JobSpec job, DataOrigin? data) =>
        Task.Run<IJobDefinition>(() => new NetworkJobDefinition(job, Known(job, data).ToDescription()));

    /// <inheritdoc/>
    public Task<IJobRuntime> PrepareAsync(JobSpec job, DataOrigin? data, CancellationToken stop) =>
        Task.Run(() => LoadAsync(job, Known(job, data), stop), stop);

    private async Task<IJobRuntime> LoadAsync(JobSpec job, DataOrigin origin, CancellationToken stop) =>
        new NetworkJob(job, await data.LoadAsync(origin, stop).ConfigureAwait(false));

    private static DataOrigin Known(JobSpec job, DataOrigin? data) =>
        data ?? throw new DataException($"data {job.Data}: the coordinator did not say what it is. Run the same release on all nodes.");
}
