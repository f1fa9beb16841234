using ConvNet.Cluster.Shards;
using ConvNet.Core.Training;
using CsCheck;

namespace ConvNet.Cluster.Tests.Shards;

public sealed class ShardPlacementTests
{
    [Fact]
    public void A_small_model_has_one_shard_for_each_server() =>
        Assert.Equal([0, 1, 2], ShardPlacement.Of(new(Parameters: 61_706, Statistics: 0), servers: 3));

    [Fact]
    public void A_large_model_has_several_shards_for_each_server_dealt_out_in_turn() =>
        Assert.Equal([0, 1, 2, 0, 1, 2], ShardPlacement.Of(new(Parameters: 1000, Statistics: 4), servers: 3, mostParameters: 200));

    [Fact]
    public void A_model_that_is_too_small_for_all_servers_uses_some_of_them() =>
        Assert.Equal([0, 1, 2], ShardPlacement.Of(new(Parameters: 40, Statistics: 0), servers: 8));

    [Fact]
    public void Shards_are_no_larger_than_asked_for_no_more_than_needed_and_even_among_servers() =>
        Gen.Select(Gen.Int[1, 5000], Gen.Int[1, 9], Gen.Int[16, 900]).Sample((parameters, servers, most) =>
        {
            var layout = new ContributionLayout(parameters, Statistics: 3);

            int[] serverOf = ShardPlacement.Of(layout, servers, most);

            int used = serverOf.Max() + 1, rounds = serverOf.Length / used;
            var plan = new ShardPlan(layout, serverOf.Length);
            Assert.Equal(Math.Min(servers, ShardPlan.MostShards(layout)), used);
            Assert.True(plan.LargestShard <= most || serverOf.Length == ShardPlan.MostShards(layout));
            Assert.InRange(serverOf.CountBy(s => s).Max(c => c.Value) - serverOf.CountBy(s => s).Min(c => c.Value), 0, 1);
            Assert.True(rounds <= 1 || new ShardPlan(layout, (rounds - 1) * used).LargestShard > most);
        });
}
