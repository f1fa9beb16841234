using ConvNet.Core.Training;

namespace ConvNet.Cluster.Shards;

/// <summary>How many shards a job has, and which server has which. Pure.</summary>
/// <remarks>
/// <para>A shard is also what is sent at once: workers push a shard's part of a gradient as soon as the backward pass has come below it, and pull a
/// shard's new weights while others are still being summed. So a large model has more shards than servers, none of them too large.</para>
/// <para>They are dealt out in turn: the top layers' shards, which come first, are then spread over all servers.</para>
/// </remarks>
public static class ShardPlacement
{
    /// <summary>Parameters of a shard at most, unless told otherwise: 16 MB, some 15 ms on a link of 10 Gbit/s. Much larger than what it costs to send one, much smaller than a large model.</summary>
    public const int MostParameters = 1 << 22;

    /// <summary>The server of each shard, from 0.</summary>
    /// <param name="layout">What is cut.</param>
    /// <param name="servers">Servers at hand, at least 1. A model that is too small for all of them leaves the last ones out.</param>
    /// <param name="mostParameters">Parameters of a shard at most.</param>
    public static int[] Of(ContributionLayout layout, int servers, int mostParameters = MostParameters)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(servers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostParameters, ShardPlan.Alignment);
        int most = ShardPlan.MostShards(layout);
        int used = Math.Min(servers, most);
        int rounds = 1;
        while (rounds * used < most && new ShardPlan(layout, rounds * used).LargestShard > mostParameters)
            rounds++;
        int[] serverOf = new int[Math.Min(rounds * used, most)];
        for (int shard = 0; shard < serverOf.Length; shard++)
            serverOf[shard] = shard % used;
        return serverOf;
    }
}
