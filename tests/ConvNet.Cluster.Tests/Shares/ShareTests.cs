using ConvNet.Cluster.Shares;
using CsCheck;

namespace ConvNet.Cluster.Tests.Shares;

public sealed class ShareTests
{
    [Fact]
    public void Equal_workers_get_shares_that_differ_by_one_at_most()
    {
        Assert.Equal([(0, 1), (1, 2), (2, 4)], Of(4, 1, 1, 1));
        Assert.Equal([(0, 0), (0, 1), (1, 1), (1, 2), (2, 3)], Of(3, 1, 1, 1, 1, 1));
    }

    [Fact]
    public void Shares_follow_the_weights()
    {
        Assert.Equal([(0, 6), (6, 6), (6, 8)], Of(8, 3, 0, 1));
    }

    [Fact]
    public void Every_micro_batch_is_in_exactly_one_share()
    {
        Gen.Select(Gen.Int[0, 5000], Gen.Int[0, 1000].Array[1, 20]).Where((_, w) => w.Sum() > 0).Sample((v, weights) =>
        {
            var shares = Of(v, weights);

            Assert.Equal(0, shares[0].Start);
            Assert.Equal(v, shares[^1].End);
            for (int i = 1; i < shares.Length; i++)
                Assert.Equal(shares[i - 1].End, shares[i].Start);
            Assert.All(shares, s => Assert.True(s.Start <= s.End));
        });
    }

    [Fact]
    public void Nobody_with_a_weight_is_an_error()
    {
        Assert.Throws<ArgumentException>(() => Share.Of(4, [0, 0], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Share.Of(4, [1, 1], 2));
    }

    private static (int Start, int End)[] Of(int microBatches, params int[] weights) =>
        [.. Enumerable.Range(0, weights.Length).Select(i => Share.Of(microBatches, weights, i))];
}
