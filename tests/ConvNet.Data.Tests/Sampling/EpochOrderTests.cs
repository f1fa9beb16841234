using ConvNet.Data.Sampling;

namespace ConvNet.Data.Tests.Sampling;

public sealed class EpochOrderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(97)]
    [InlineData(60_000)]
    public void Every_sample_comes_exactly_once_an_epoch(int samples)
    {
        var order = new EpochOrder(seed: 3, samples);

        int[] seen = order.Slice(epoch: 5, 0, samples).ToArray();

        Assert.Equal(Enumerable.Range(0, samples), seen.Order());
    }

    [Fact]
    public void Epochs_and_seeds_have_orders_of_their_own()
    {
        int[] first = new EpochOrder(1, 100).Slice(0, 0, 100).ToArray();

        Assert.NotEqual(first, new EpochOrder(1, 100).Slice(1, 0, 100).ToArray());
        Assert.NotEqual(first, new EpochOrder(2, 100).Slice(0, 0, 100).ToArray());
        Assert.NotEqual(first, new EpochOrder(1UL << 32, 100).Slice(0, 0, 100).ToArray());
    }

    [Fact]
    public void The_order_does_not_depend_on_what_was_asked_before()
    {
        var order = new EpochOrder(1, 50);
        int[] fourth = order.Slice(4, 0, 50).ToArray();
        foreach (int epoch in new[] { 0, 9, 5, 3 })
            order.Slice(epoch, 0, 50);

        Assert.Equal(fourth, order.Slice(4, 0, 50).ToArray());
    }

    [Fact]
    public void The_order_is_the_same_for_ever()
    {
        Assert.Equal(GoldenFirst, new EpochOrder(1, 60_000).Slice(0, 0, 5).ToArray());
    }

    private static readonly int[] GoldenFirst = [21888, 36011, 43947, 4112, 35075];
}
