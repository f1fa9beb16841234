using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Workers;

/// <summary>What a worker does with one version of the weights: a step of training, or an evaluation. Its runs, and the partial sums it holds.</summary>
/// <remarks>Guarded by the engine's lock. Once closed it takes nothing more: what still comes is thrown away, because its version is over.</remarks>
internal sealed class Phase(bool trains, long version, int microBatches, int parts, Replica weights)
{
    private readonly Dictionary<(int Part, TreeNode Node), TensorLease> _held = [];
    private readonly Dictionary<TreeNode, int> _pushes = [];

    /// <summary>Whether this is a step of training; otherwise the test set is evaluated.</summary>
    public bool Trains => trains;

    /// <summary>The version of the weights, and the number of the step.</summary>
    public long Version => version;

    /// <summary>Parts of a contribution, each of which goes to a shard of its own.</summary>
    public int Parts => parts;

    /// <summary>The weights.</summary>
    public Replica Weights => weights;

    /// <summary>The micro-batches.</summary>
    public LocalRuns Runs { get; } = new(microBatches);

    /// <summary>Whether the version is over.</summary>
    public bool Closed { get; private set; }

    /// <summary>A part of a sum is there. Says which addition to do next or whether to push; the lease to add is handed out.</summary>
    public (LocalStep? Step, TensorLease? Other) Finished(int part, TreeNode node, TensorLease sum)
    {
        if (Closed)
        {
            sum.Dispose();
            return (null, null);
        }

        var step = Runs.Finished(part, node);
        if (step is LocalStep.Hold hold)
            _held.Add((part, hold.Node), sum);
        if (step is not LocalStep.Add add)
            return (step, null);

        _held.Remove((part, node.Promoted(microBatches).Sibling), out var other);
        return (add, other);
    }

    /// <summary>A part of a root is about to be pushed. Returns how many were before it.</summary>
    public int CountPush(TreeNode root)
    {
        int before = _pushes.GetValueOrDefault(root);
        _pushes[root] = before + 1;
        return before;
    }

    /// <summary>The version is over: gives back all partial sums.</summary>
    public void Close()
    {
        Closed = true;
        foreach (var sum in _held.Values)
            sum.Dispose();
        _held.Clear();
    }
}

/// <summary>One of a worker's two copies of the state: while lanes compute with one, the next version arrives in the other.</summary>
internal sealed class Replica(int length) : IDisposable
{
    /// <summary>All weights and statistics.</summary>
    public TensorLease Values { get; } = TensorLease.Allocate(length);

    /// <summary>Lanes that read it now. Guarded by the engine's lock.</summary>
    public int Readers { get; set; }

    /// <inheritdoc/>
    public void Dispose() => Values.Dispose();
}
