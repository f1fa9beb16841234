namespace ConvNet.Cluster.Sums;

/// <summary>An addition that has become possible: the sum of <paramref name="Parent"/> is left + right, in this order.</summary>
/// <param name="Left">The held node that is the left operand.</param>
/// <param name="Right">The held node that is the right operand.</param>
/// <param name="Parent">The node that is held instead of both.</param>
public readonly record struct Merge(TreeNode Left, TreeNode Right, TreeNode Parent);

/// <summary>What a ledger says to a node that is offered to it.</summary>
public abstract record Verdict
{
    /// <summary>Keep it, under the name <paramref name="Node"/>; throw away the sums of <paramref name="Dropped"/>, which it covers; then add, in this order.</summary>
    public sealed record Accepted(TreeNode Node, IReadOnlyList<TreeNode> Dropped, IReadOnlyList<Merge> Merges) : Verdict;

    /// <summary>Its micro-batches have all been counted already: a second copy, and so of the same bits. Throw it away.</summary>
    public sealed record Covered : Verdict
    {
        /// <summary>The only instance.</summary>
        public static readonly Covered Instance = new();
    }

    /// <summary>It is no node of this tree.</summary>
    public sealed record Outside(string Why) : Verdict;
}

/// <summary>Knows which micro-batches of one step have been summed, and says what to do with each node that arrives. Pure: it never sees a float.</summary>
/// <remarks>
/// Nodes may come in any order, in any granularity, and any number of times: every micro-batch is counted exactly once, and every
/// addition is one of the fixed tree, so the final sum has the same bits whatever came when.
/// </remarks>
public sealed class StepLedger
{
    private readonly HashSet<TreeNode> _held = [];
    private readonly List<TreeNode> _applied = [];
    private readonly TreeNode _root;

    /// <summary>A ledger for a step of <paramref name="microBatches"/> micro-batches.</summary>
    public StepLedger(int microBatches)
    {
        MicroBatches = microBatches;
        _root = TreeNode.Root(microBatches);
    }

    /// <summary>Micro-batches of the step.</summary>
    public int MicroBatches { get; }

    /// <summary>Whether every micro-batch has been counted and added.</summary>
    public bool IsComplete => _held.Contains(_root);

    /// <summary>The node of the whole sum.</summary>
    public TreeNode Root => _root;

    /// <summary>The nodes as they arrived, out of which the held sums are made: the proof that each micro-batch was counted once.</summary>
    public IReadOnlyList<TreeNode> Applied => _applied;

    /// <summary>Takes notice of a node that has arrived.</summary>
    public Verdict Offer(TreeNode arrived)
    {
        if (!arrived.IsIn(MicroBatches))
            return new Verdict.Outside($"{arrived} is not in the tree over {MicroBatches} micro-batches");

        var node = arrived.Promoted(MicroBatches);
        if (_held.Any(h => h.Contains(node)))
            return Verdict.Covered.Instance;

        TreeNode[] dropped = [.. _held.Where(node.Contains)];
        foreach (var finer in dropped)
            _held.Remove(finer);
        _applied.RemoveAll(node.Contains);
        _applied.Add(node);
        return new Verdict.Accepted(node, dropped, Climb(node));
    }

    private List<Merge> Climb(TreeNode node)
    {
        var merges = new List<Merge>();
        while (_held.Remove(node.Sibling))
        {
            var parent = node.Parent.Promoted(MicroBatches);
            merges.Add(node.IsLeft ? new(node, node.Sibling, parent) : new(node.Sibling, node, parent));
            node = parent;
        }

        _held.Add(node);
        return merges;
    }
}
