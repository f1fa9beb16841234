using ConvNet.Cluster.Coordinator;

namespace ConvNet.Cluster.Tests.Coordinator;

public sealed class RosterTests
{
    [Fact]
    public void The_work_is_first_shared_when_nobody_is_on_the_way_any_more()
    {
        var roster = Roster.Empty.Start(0).Start(1);

        (roster, var first) = roster.OnReady(0);
        (roster, var second) = roster.OnReady(1);

        Assert.IsType<Reshare.Nothing>(first);
        AssertShare(0, [0, 1], second);
    }

    [Fact]
    public void A_worker_that_dies_on_the_way_does_not_hold_up_the_others()
    {
        var roster = Roster.Empty.Start(0).Start(1);
        (roster, _) = roster.OnReady(0);

        (_, var reshare) = roster.OnLost(1);

        AssertShare(0, [0], reshare);
    }

    [Fact]
    public void Whoever_joins_or_leaves_later_makes_the_work_be_shared_anew()
    {
        var roster = Roster.Empty.Start(0);
        (roster, _) = roster.OnReady(0);
        roster = roster.Start(1);

        (roster, var joined) = roster.OnReady(1);
        (_, var left) = roster.OnLost(0);

        AssertShare(1, [0, 1], joined);
        AssertShare(2, [1], left);
    }

    [Fact]
    public void Losing_one_who_had_no_share_changes_nothing()
    {
        var roster = Roster.Empty.Start(0);
        (roster, _) = roster.OnReady(0);

        (_, var reshare) = roster.Start(1).OnLost(1);

        Assert.IsType<Reshare.Nothing>(reshare);
    }

    [Fact]
    public void The_last_one_lost_leaves_nobody_unless_one_is_on_the_way()
    {
        var roster = Roster.Empty.Start(0);
        (roster, _) = roster.OnReady(0);

        Assert.IsType<Reshare.NobodyLeft>(roster.OnLost(0).Reshare);
        Assert.IsType<Reshare.Nothing>(roster.Start(1).OnLost(0).Reshare);
    }

    private static void AssertShare(int number, int[] workers, Reshare reshare)
    {
        var share = Assert.IsType<Reshare.Share>(reshare);
        Assert.Equal(number, share.Number);
        Assert.Equal(workers, share.Workers);
    }
}
