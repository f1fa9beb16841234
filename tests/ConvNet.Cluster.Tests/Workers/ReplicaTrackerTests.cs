using ConvNet.Cluster.Workers;
using CsCheck;

namespace ConvNet.Cluster.Tests.Workers;

public sealed class ReplicaTrackerTests
{
    [Fact]
    public void A_version_is_complete_when_every_slice_of_it_has_come()
    {
        var tracker = new ReplicaTracker(2);

        Assert.Equal([new Ask(0, 5), new Ask(1, 5)], tracker.Begin(5));
        Assert.False(tracker.Arrived(1, 5).Complete);
        Assert.True(tracker.Arrived(0, 5).Complete);
        Assert.Equal(5, tracker.Version);
    }

    [Fact]
    public void A_newer_slice_makes_the_others_be_asked_again()
    {
        var tracker = new ReplicaTracker(3);
        tracker.Begin(5);

        Assert.Empty(tracker.Arrived(0, 5).Asks);
        Assert.Equal([new Ask(0, 6)], tracker.Arrived(1, 6).Asks);
        Assert.Equal([new Ask(2, 6)], tracker.Arrived(2, 5).Asks);
        Assert.False(tracker.Arrived(0, 6).Complete);
        Assert.True(tracker.Arrived(2, 6).Complete);
        Assert.Equal(6, tracker.Version);
    }

    [Fact]
    public void A_slice_that_nobody_asked_for_is_not_expected()
    {
        var tracker = new ReplicaTracker(2);
        Assert.False(tracker.Expects(0, 0));
        tracker.Begin(0);
        tracker.Arrived(0, 0);

        Assert.False(tracker.Expects(0, 0));
        Assert.True(tracker.Expects(1, 0));
        Assert.False(tracker.Expects(2, 0));
    }

    [Fact]
    public void A_lost_slice_is_asked_for_again()
    {
        var tracker = new ReplicaTracker(2);
        tracker.Begin(5);

        Assert.Equal([new Ask(0, 5)], tracker.Lost(0));
    }

    [Fact]
    public void Whoever_comes_while_shards_go_on_gets_a_version_that_some_step_may_still_need()
    {
        // Shards hold their last two versions and differ by one at most; they answer with the oldest that is not older than asked for.
        // While the answers are under way the shards may go on, as long as they stay together.
        Gen.Select(Gen.Int[1, 5], Gen.Int).Sample((shards, seed) =>
        {
            var random = new Random(seed);
            long[] versions = [.. Enumerable.Repeat(10L, shards)];
            var tracker = new ReplicaTracker(shards);
            var pending = tracker.Begin(9);
            long least = 0;
            for (int round = 0; pending.Count > 0; round++)
            {
                Assert.True(round < 1000, "It never came together.");
                if (round < 50 && random.Next(2) == 0)
                {
                    int shard = random.Next(shards);
                    if (versions[shard] == versions.Min())
                        versions[shard]++;
                }

                var ask = pending[random.Next(pending.Count)];
                pending.Remove(ask);
                if (versions[ask.Shard] < ask.Version)
                {
                    versions[ask.Shard]++;   // the shard answers when it gets there
                    Assert.True(versions[ask.Shard] <= versions.Min() + 1);
                }

                long answer = ask.Version < versions[ask.Shard] ? versions[ask.Shard] - 1 : versions[ask.Shard];
                answer = Math.Max(answer, ask.Version);
                least = versions.Min();
                var (complete, asks) = tracker.Arrived(ask.Shard, answer);
                pending.AddRange(asks);
                if (complete)
                    Assert.True(tracker.Version <= least, "A version was complete before every shard had published it.");
            }
        });
    }
}
