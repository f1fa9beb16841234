using ConvNet.Cluster.Shares;
using CsCheck;

namespace ConvNet.Cluster.Tests.Shares;

public sealed class SpeedPolicyTests
{
    [Theory]
    [InlineData(4, new[] { 1.0, 1.4 }, new[] { 2, 2 })]
    [InlineData(4, new[] { 1.0, 3.0 }, new[] { 1, 3 })]
    [InlineData(4, new[] { 1.0, 100.0 }, new[] { 0, 4 })]
    [InlineData(16, new[] { 1.0, 1.0, 2.0 }, new[] { 4, 4, 8 })]
    [InlineData(1, new[] { 1.0, 2.0 }, new[] { 0, 1 })]
    public void Micro_batches_are_shared_by_speed(int microBatches, double[] speeds, int[] expected)
    {
        int[] weights = SpeedPolicy.Best(microBatches, [.. speeds.Select(s => new Pace(1, s))]);

        Assert.Equal(expected, Enumerable.Range(0, weights.Length).Select(w => Share.Of(microBatches, weights, w)).Select(s => s.End - s.Start));
    }

    [Fact]
    public void Equal_speeds_have_equal_weights() =>
        Assert.Equal([1, 1, 1], SpeedPolicy.Best(16, [new(2, 8), new(2, 8), new(2, 8)]));

    [Fact]
    public void Lanes_compute_whole_micro_batches()
    {
        var pace = new Pace(Lanes: 4, MicroBatchesPerSecond: 8);

        Assert.Equal([0, 0.5, 0.5, 1], new[] { 0, 1, 4, 5 }.Select(pace.Seconds));
    }

    [Fact]
    public void No_shares_are_faster_than_the_best() =>
        Gen.Select(Gen.Int[1, 9], Gen.Select(Gen.Int[1, 3], Gen.Double[0.1, 10]).Array[3]).Sample((microBatches, workers) =>
        {
            Pace[] paces = [.. workers.Select(w => new Pace(w.Item1, w.Item2))];

            double best = SpeedPolicy.StepTime(microBatches, SpeedPolicy.Best(microBatches, paces), paces);

            for (int a = 0; a <= microBatches; a++)
            {
                for (int b = 0; a + b <= microBatches; b++)
                    Assert.True(best <= SpeedPolicy.StepTime(microBatches, [a, b, microBatches - a - b], paces));
            }
        });

    [Fact]
    public void A_worker_without_a_measurement_counts_as_the_mean_of_the_others() =>
        Assert.Equal([new(2, 10), new(3, 20), new(4, 30)], SpeedPolicy.Completed([new Pace(2, 10), null, new Pace(4, 30)]));
}
