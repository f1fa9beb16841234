using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Shards;

/// <summary>A shard's slice of one version: state and optimizer state, held for a checkpoint while training goes on.</summary>
/// <param name="Version">The version.</param>
/// <param name="State">Weights, and statistics if the shard has them.</param>
/// <param name="Optimizer">The optimizer's planes.</param>
/// <param name="Parameters">Floats of a plane.</param>
internal sealed record Snapshot(long Version, TensorLease State, TensorLease Optimizer, int Parameters) : IDisposable
{
    /// <summary>A further lease over a part, as requests number them; null where there is no such part.</summary>
    public TensorLease? Part(int part) => part switch
    {
        0 => State.Share(),
        > 0 when part <= Optimizer.Length / Math.Max(1, Parameters) => Optimizer.Slice((part - 1) * Parameters, Parameters),
        _ => null,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        Optimizer.Dispose();
    }
}
