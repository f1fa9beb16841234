using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Shards;

/// <summary>The sums of one step in flight: a <see cref="StepLedger"/> with the floats to it.</summary>
internal sealed class SumTree(int microBatches) : IDisposable
{
    private readonly StepLedger _ledger = new(microBatches);
    private readonly Dictionary<TreeNode, TensorLease> _sums = [];

    /// <summary>Micro-batches of the step.</summary>
    public int MicroBatches => microBatches;

    /// <summary>Whether the whole sum is there.</summary>
    public bool IsComplete => _ledger.IsComplete;

    /// <summary>The whole sum; nobody else has it.</summary>
    public Span<float> Sum => _sums[_ledger.Root].Span;

    /// <summary>What the sum is made of.</summary>
    public IReadOnlyList<TreeNode> Applied => _ledger.Applied;

    /// <summary>Takes a node's sum, and adds whatever can be added now. The lease is given.</summary>
    public void Offer(TreeNode arrived, TensorLease values)
    {
        if (_ledger.Offer(arrived) is not Verdict.Accepted accepted)
        {
            values.Dispose();
            return;
        }

        foreach (var finer in accepted.Dropped)
            Take(finer).Dispose();
        _sums.Add(accepted.Node, values);
        foreach (var merge in accepted.Merges)
        {
            var left = Take(merge.Left);
            using var right = Take(merge.Right);
            VectorAdd.Into(left.Span, right.Span);
            _sums.Add(merge.Parent, left);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var sum in _sums.Values)
            sum.Dispose();
        _sums.Clear();
    }

    private TensorLease Take(TreeNode node)
    {
        _sums.Remove(node, out var sum);
        return sum!;
    }
}
