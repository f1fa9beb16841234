namespace ConvNet.Cluster.Sums;

/// <summary>What a worker does with a sum it has just finished.</summary>
public abstract record LocalStep
{
    /// <summary>Keep it until its sibling is there.</summary>
    public sealed record Hold(TreeNode Node) : LocalStep;

    /// <summary>Add it to its sibling, then report the parent as finished.</summary>
    public sealed record Add(Merge Merge) : LocalStep;

    /// <summary>Nothing on this worker will be added to it: send it.</summary>
    public sealed record Push(TreeNode Node) : LocalStep;
}

/// <summary>The micro-batches that one worker computes of one step, and which of their sums it adds up itself. Pure.</summary>
/// <remarks>
/// A run that was begun is finished as it was begun, and what a later assignment adds to it is a further run: so no partial sum is ever
/// taken apart, and only roots of the runs' aligned subtrees are sent. Computing a micro-batch that another worker computes too is
/// harmless; computing one twice here would be waste, and <see cref="Extend"/> leaves those out.
/// A contribution is sent in parts, one for each shard; each part of a sum has a life of its own, along the same tree.
/// </remarks>
public sealed class LocalRuns
{
    private readonly SortedSet<int> _waiting = [];
    private readonly bool[] _taken;
    private readonly HashSet<TreeNode> _targets = [];
    private readonly HashSet<(int Part, TreeNode Node)> _held = [];

    /// <summary>Nothing to do yet, of a step of <paramref name="microBatches"/> micro-batches.</summary>
    public LocalRuns(int microBatches)
    {
        MicroBatches = microBatches;
        _taken = new bool[microBatches];
    }

    /// <summary>Micro-batches of the step.</summary>
    public int MicroBatches { get; }

    /// <summary>Adds what is new in the run [start, end).</summary>
    /// <returns>Micro-batches added.</returns>
    public int Extend(int start, int end)
    {
        int added = 0;
        for (int at = start; at < end; at++)
        {
            int from = at;
            for (; at < end && !_taken[at]; at++)
            {
                _taken[at] = true;
                _waiting.Add(at);
            }

            if (at > from)
                _targets.UnionWith(TreeNode.Cover(from, at, MicroBatches));
            added += at - from;
        }

        return added;
    }

    /// <summary>Whether a micro-batch waits to be computed.</summary>
    public bool HasNext => _waiting.Count > 0;

    /// <summary>Hands out the lowest micro-batch that waits.</summary>
    public bool TryTake(out int microBatch)
    {
        microBatch = _waiting.Min;
        return _waiting.Remove(microBatch);
    }

    /// <summary>A part of the sum of a node is there: that of a micro-batch when it is computed, that of a parent when it is added.</summary>
    public LocalStep Finished(int part, TreeNode sum)
    {
        var node = sum.Promoted(MicroBatches);
        if (_targets.Contains(node))
            return new LocalStep.Push(node);
        if (!_held.Remove((part, node.Sibling)))
        {
            _held.Add((part, node));
            return new LocalStep.Hold(node);
        }

        var parent = node.Parent.Promoted(MicroBatches);
        return new LocalStep.Add(node.IsLeft ? new(node, node.Sibling, parent) : new(node.Sibling, node, parent));
    }
}
