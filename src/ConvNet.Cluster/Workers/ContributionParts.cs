using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Workers;

/// <summary>Hands over the micro-batch that a lane is computing, each shard's part as soon as it is final: the top shard's while the layers below are still at it.</summary>
/// <remarks>One for each lane, used again and again. The last part, shard 0's, waits until the pass has returned: that is at once.</remarks>
internal sealed class ContributionParts(ShardPlan shards, Delivery delivery) : IContributionProgress
{
    private Phase _phase = null!;
    private TensorLease _sum = TensorLease.Empty;
    private int _microBatch, _part;

    /// <summary>A pass begins, which writes a whole contribution to <paramref name="sum"/>. The lease stays the caller's.</summary>
    public void Begin(Phase phase, int microBatch, TensorLease sum)
    {
        (_phase, _microBatch, _sum) = (phase, microBatch, sum);
        _part = phase.Parts - 1;
    }

    /// <inheritdoc/>
    public void FinalFrom(int offset)
    {
        while (_part > 0 && shards.Contribution(_part).Start >= offset)
            HandOver();
    }

    /// <summary>The pass has returned.</summary>
    public void HandOverRest()
    {
        while (_part >= 0)
            HandOver();
    }

    private void HandOver()
    {
        var range = shards.Contribution(_part);
        var part = _part--;
        delivery.Deliver(_phase, part, TreeNode.Leaf(_microBatch), _sum.Slice(range.Start, range.Length));
    }
}
