using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Workers;

/// <summary>Which worker of which job this is, and what it works with.</summary>
internal sealed record WorkerJob(
    string Job, int Worker, int Lanes, ShardPlan Shards, TensorTarget[] Targets, IJobRuntime Runtime, ITensorTransport Transport, IFaults Faults)
{
    /// <summary>Epochs and steps.</summary>
    public StepPlan Plan => Runtime.Plan;

    /// <summary>Where this worker gets its weights.</summary>
    public TensorTarget Target { get; } = new(Transport.Endpoint, Job, $"worker-{Worker}");
}

/// <summary>How a job's work is shared, and which share is this worker's.</summary>
internal sealed record Assignment(int Number, int Index, int[] Weights);
