using System.Numerics;

namespace ConvNet.Cluster.Sums;

/// <summary>A node of the one binary tree along which the micro-batches of a step are added up.</summary>
/// <remarks>
/// <para>Node (level, index) covers the micro-batches [index·2^level, (index+1)·2^level) ∩ [0, V). Its sum is left + right, element by
/// element, or left alone where the right half is empty. V, the number of micro-batches, may be any number from 1.</para>
/// <para>Where the right half is empty, a node and its left child are the same sum under two names. <see cref="Promoted"/> gives the
/// highest of the names; two promoted nodes are equal exactly when they cover the same micro-batches.</para>
/// </remarks>
/// <param name="Level">0 for a single micro-batch.</param>
/// <param name="Index">Place within the level, from 0.</param>
public readonly record struct TreeNode(int Level, int Index)
{
    /// <summary>The highest level there is: more than 2³⁰ micro-batches make no step.</summary>
    public const int MaxLevel = 30;

    /// <summary>The node of a single micro-batch.</summary>
    public static TreeNode Leaf(int microBatch) => new(0, microBatch);

    /// <summary>The node that covers all of <paramref name="microBatches"/>.</summary>
    public static TreeNode Root(int microBatches)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(microBatches, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(microBatches, 1 << MaxLevel);
        return new(BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)microBatches)), 0);
    }

    /// <summary>The node whose half this is.</summary>
    public TreeNode Parent => new(Level + 1, Index >> 1);

    /// <summary>The other half of the parent.</summary>
    public TreeNode Sibling => new(Level, Index ^ 1);

    /// <summary>Whether this is the first half of its parent: in a sum, the left operand.</summary>
    public bool IsLeft => (Index & 1) == 0;

    /// <summary>The first micro-batch.</summary>
    public long First => (long)Index << Level;

    /// <summary>One past the last micro-batch, were there no end to them.</summary>
    public long End => ((long)Index + 1) << Level;

    /// <summary>The micro-batches covered out of <paramref name="microBatches"/>, as a half-open range.</summary>
    public (int Start, int End) Covers(int microBatches) =>
        ((int)Math.Min(First, microBatches), (int)Math.Min(End, microBatches));

    /// <summary>Whether this is a node of the tree over <paramref name="microBatches"/>, and covers at least one of them.</summary>
    public bool IsIn(int microBatches) =>
        Level >= 0 && Index >= 0 && microBatches > 0 && Level <= Root(microBatches).Level && First < microBatches;

    /// <summary>Whether <paramref name="other"/> is this node or lies below it.</summary>
    public bool Contains(TreeNode other) => First <= other.First && other.End <= End;

    /// <summary>The highest node that covers the same micro-batches.</summary>
    public TreeNode Promoted(int microBatches)
    {
        var node = this;
        while (node.Level < Root(microBatches).Level && node.IsLeft && node.Sibling.First >= microBatches)
            node = node.Parent;
        return node;
    }

    /// <summary>The fewest promoted nodes that together cover the run [start, end), from left to right.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The run does not lie within [0, microBatches).</exception>
    public static List<TreeNode> Cover(int start, int end, int microBatches)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, microBatches);
        var nodes = new List<TreeNode>();
        if (start >= end)
            return nodes;

        // A run up to the last micro-batch has nothing but emptiness on its right: it may use nodes that reach past the end.
        int root = Root(microBatches).Level;
        long stop = end == microBatches ? 1L << root : end;
        for (long at = start; at < end;)
        {
            int level = at == 0 ? root : Math.Min(root, BitOperations.TrailingZeroCount(at));
            while (at + (1L << level) > stop)
                level--;
            nodes.Add(new((int)level, (int)(at >> level)));
            at += 1L << level;
        }

        return nodes;
    }

    /// <inheritdoc/>
    public override string ToString() => $"node {Level}:{Index}";
}
