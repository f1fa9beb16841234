using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Shares;

namespace ConvNet.Cluster.Tests.Coordinator;

public sealed class RosterTests
{
    private static readonly Roster Eight = new(MicroBatches: 8);

    [Fact]
    public void The_work_is_first_shared_when_nobody_is_on_the_way_any_more()
    {
        var roster = Eight.Start(0).Start(1);

        (roster, var first) = roster.OnReady(0);
        (roster, var second) = roster.OnReady(1);

        Assert.IsType<Reshare.Nothing>(first);
        AssertShare(0, [0, 1], second);
    }

    [Fact]
    public void A_worker_that_dies_on_the_way_does_not_hold_up_the_others()
    {
        var roster = Eight.Start(0).Start(1);
        (roster, _) = roster.OnReady(0);

        (_, var reshare) = roster.OnLost(1);

        AssertShare(0, [0], reshare);
    }

    [Fact]
    public void Whoever_joins_or_leaves_later_makes_the_work_be_shared_anew()
    {
        var roster = Eight.Start(0);
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
        var roster = Eight.Start(0);
        (roster, _) = roster.OnReady(0);

        (_, var reshare) = roster.Start(1).OnLost(1);

        Assert.IsType<Reshare.Nothing>(reshare);
    }

    [Fact]
    public void The_last_one_lost_leaves_nobody_unless_one_is_on_the_way()
    {
        var roster = Eight.Start(0);
        (roster, _) = roster.OnReady(0);

        Assert.IsType<Reshare.NobodyLeft>(roster.OnLost(0).Reshare);
        Assert.IsType<Reshare.Nothing>(roster.Start(1).OnLost(0).Reshare);
    }

    [Fact]
    public void Those_that_are_ready_begin_when_others_take_too_long()
    {
        var roster = Eight.Start(0).Start(1);
        (roster, var none) = roster.BeginWithThoseReady();
        (roster, _) = roster.OnReady(1);

        (roster, var begun) = roster.BeginWithThoseReady();
        (_, var joined) = roster.OnReady(0);

        Assert.IsType<Reshare.Nothing>(none);
        AssertShare(0, [1], begun);
        AssertShare(1, [0, 1], joined);
    }

    [Fact]
    public void Measured_speeds_share_the_work_anew_when_that_is_worth_it()
    {
        var roster = Ready(2);

        (roster, var same) = roster.OnSpeed(0, new(1, 10));
        (roster, var alike) = roster.OnSpeed(1, new(1, 10.9));
        (_, var three) = roster.OnSpeed(1, new(1, 30));

        Assert.IsType<Reshare.Nothing>(same);
        Assert.IsType<Reshare.Nothing>(alike);
        Assert.Equal([2, 6], Counts(8, three));
    }

    [Fact]
    public void A_newcomer_counts_as_the_mean_of_the_others()
    {
        var roster = Ready(2);
        (roster, _) = roster.OnSpeed(0, new(1, 10));
        (roster, _) = roster.OnSpeed(1, new(1, 30));

        (_, var joined) = roster.Start(2).OnReady(2);

        Assert.Equal([1, 4, 3], Counts(8, joined));
    }

    [Fact]
    public void Those_far_behind_have_no_share_until_they_have_caught_up()
    {
        var roster = Ready(3);

        (roster, var behind) = roster.OnBehind([1]);
        (roster, var again) = roster.OnBehind([1]);
        (roster, var caughtUp) = roster.OnCaughtUp(1);

        Assert.Equal([4, 0, 4], Counts(8, behind));
        Assert.IsType<Reshare.Nothing>(again);
        Assert.Equal([2, 3, 3], Counts(8, caughtUp));
    }

    [Fact]
    public void Where_only_those_behind_are_left_they_do_the_work()
    {
        var roster = Ready(2);
        (roster, _) = roster.OnBehind([1]);

        (_, var reshare) = roster.OnLost(0);

        Assert.Equal([8], Counts(8, reshare));
    }

    [Fact]
    public void A_worker_too_slow_for_a_share_is_tried_again_when_its_speed_is_forgotten()
    {
        var roster = Ready(2);
        (roster, _) = roster.OnSpeed(0, new(1, 100));
        (roster, var without) = roster.OnSpeed(1, new(1, 1));

        Assert.Equal([8, 0], Counts(8, without));
        Assert.Equal([1], roster.WithoutShare);
        Assert.Equal([4, 4], Counts(8, roster.ForgetSpeed(1).Reshare));
    }

    private static Roster Ready(int workers)
    {
        var roster = Enumerable.Range(0, workers).Aggregate(Eight, (r, w) => r.Start(w));
        return Enumerable.Range(0, workers).Aggregate(roster, (r, w) => r.OnReady(w).Next);
    }

    private static int[] Counts(int microBatches, Reshare reshare)
    {
        int[] weights = [.. Assert.IsType<Reshare.Share>(reshare).Weights];
        return [.. Enumerable.Range(0, weights.Length).Select(w => Share.Of(microBatches, weights, w)).Select(s => s.End - s.Start)];
    }

    private static void AssertShare(int number, int[] workers, Reshare reshare)
    {
        var share = Assert.IsType<Reshare.Share>(reshare);
        Assert.Equal(number, share.Number);
        Assert.Equal(workers, share.Workers);
    }
}
