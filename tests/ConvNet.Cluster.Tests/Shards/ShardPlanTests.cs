using ConvNet.Cluster.Shards;
using ConvNet.Core.Training;
using CsCheck;

namespace ConvNet.Cluster.Tests.Shards;

public sealed class ShardPlanTests
{
    [Fact]
    public void The_last_shard_takes_statistics_and_metrics()
    {
        var plan = new ShardPlan(new ContributionLayout(Parameters: 100, Statistics: 10), shards: 2);

        Assert.Equal(new FloatRange(0, 48), plan.Parameters(0));
        Assert.Equal(new FloatRange(0, 48), plan.Contribution(0));
        Assert.Equal(new FloatRange(48, 52), plan.Parameters(1));
        Assert.Equal(new FloatRange(48, 62), plan.State(1));
        Assert.Equal(new FloatRange(48, 78), plan.Contribution(1));
        Assert.Equal(1, plan.MetricsShard);
    }

    [Fact]
    public void Shards_are_even_aligned_and_leave_nothing_out()
    {
        Gen.Select(Gen.Int[1, 100_000], Gen.Int[0, 500], Gen.Int[1, 64]).Sample((parameters, statistics, wanted) =>
        {
            var layout = new ContributionLayout(parameters, statistics);
            var plan = new ShardPlan(layout, Math.Min(wanted, ShardPlan.MostShards(layout)));

            int at = 0;
            for (int s = 0; s < plan.Shards; s++)
            {
                var range = plan.Parameters(s);
                Assert.Equal(at, range.Start);
                Assert.Equal(0, range.Start % ShardPlan.Alignment);
                Assert.InRange(range.Length, 1, parameters / plan.Shards + 2 * ShardPlan.Alignment);
                at = range.End;
            }

            Assert.Equal(parameters, at);
            Assert.Equal(layout.StateLength, plan.State(plan.MetricsShard).End);
            Assert.Equal(layout.Length, plan.Contribution(plan.MetricsShard).End);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void A_number_of_servers_that_makes_no_sense_is_an_error(int servers)
    {
        var wrong = Assert.Throws<ArgumentException>(() => new ShardPlan(new ContributionLayout(100, 0), servers));

        Assert.Equal($"--servers is {servers}; a model of 100 parameters takes 1 to 7 (a server holds at least 16 parameters).", wrong.Message);
    }
}
