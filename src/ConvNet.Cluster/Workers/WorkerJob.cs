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

    /// <summary>Sends a sum to every shard that takes part of it. The lease is given.</summary>
    /// <param name="header">What it is a sum of.</param>
    /// <param name="sum">A whole contribution.</param>
    /// <param name="before">Called before each shard's part, with the shard. False ends the push there.</param>
    public void PushContribution(ContributionHeader header, TensorLease sum, Func<int, bool> before)
    {
        using (sum)
        {
            for (int shard = 0; shard < Targets.Length && before(shard); shard++)
            {
                var range = Shards.Contribution(shard);
                Transport.Send(Targets[shard], header, sum.Slice(range.Start, range.Length));
            }
        }
    }
}

/// <summary>How a job's work is shared, and which share is this worker's.</summary>
internal sealed record Assignment(int Number, int Index, int[] Weights);
