using ConvNet.Core.Training;

namespace ConvNet.Cluster.Shards;

/// <summary>A range of floats.</summary>
/// <param name="Start">The first.</param>
/// <param name="Length">How many.</param>
public readonly record struct FloatRange(int Start, int Length)
{
    /// <summary>One past the last.</summary>
    public int End => Start + Length;
}

/// <summary>How the parameters fall into shards: even ranges that start at multiples of 16 floats (one cache line).</summary>
/// <remarks>
/// <code>
/// contribution  [ shard 0 | shard 1 | …        last shard : gradients, statistics, metrics ]
/// state         [ shard 0 | shard 1 | …        last shard : weights,   statistics ]
/// </code>
/// The last shard is the <em>metrics shard</em>: it alone sums losses and hits, and the micro-batches of evaluations.
/// </remarks>
public sealed class ShardPlan
{
    /// <summary>Shards start at multiples of this many floats.</summary>
    public const int Alignment = 16;

    /// <summary>Cuts a job's parameters into <paramref name="shards"/> ranges.</summary>
    /// <exception cref="ArgumentException">There are more shards than ranges of 16 parameters.</exception>
    public ShardPlan(ContributionLayout layout, int shards)
    {
        int most = MostShards(layout);
        if (shards < 1 || shards > most)
            throw new ArgumentException($"--servers is {shards}; a model of {layout.Parameters} parameters takes 1 to {most} (a server holds at least {Alignment} parameters).");
        (Layout, Shards) = (layout, shards);
    }

    /// <summary>The most shards that a layout can be cut into.</summary>
    public static int MostShards(ContributionLayout layout) => Math.Max(1, (layout.Parameters + Alignment - 1) / Alignment);

    /// <summary>What is cut.</summary>
    public ContributionLayout Layout { get; }

    /// <summary>Number of shards.</summary>
    public int Shards { get; }

    /// <summary>The shard that has the metrics, and evaluates.</summary>
    public int MetricsShard => Shards - 1;

    /// <summary>Trainable parameters of the largest shard.</summary>
    public int LargestShard => Enumerable.Range(0, Shards).Max(s => Parameters(s).Length);

    /// <summary>The trainable parameters of a shard.</summary>
    public FloatRange Parameters(int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, Shards);
        return new(Bound(shard), Bound(shard + 1) - Bound(shard));
    }

    /// <summary>The part of the state (weights and statistics) that a shard holds and publishes.</summary>
    public FloatRange State(int shard) => ToEnd(shard, Layout.StateLength);

    /// <summary>The part of a contribution that is sent to a shard.</summary>
    public FloatRange Contribution(int shard) => ToEnd(shard, Layout.Length);

    private FloatRange ToEnd(int shard, int end)
    {
        var range = Parameters(shard);
        return shard == MetricsShard ? range with { Length = end - range.Start } : range;
    }

    private int Bound(int shard)
    {
        long blocks = (Layout.Parameters + Alignment - 1) / Alignment;
        return (int)Math.Min(blocks * shard / Shards * Alignment, Layout.Parameters);
    }
}
