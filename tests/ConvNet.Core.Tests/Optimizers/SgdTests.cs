using ConvNet.Core.Optimizers;

namespace ConvNet.Core.Tests.Optimizers;

public sealed class SgdTests
{
    [Fact]
    public void Two_steps_worked_by_hand()
    {
        float[] w = [1], v = [0];
        var sgd = new Sgd(Momentum: 0.5f, WeightDecay: 0.25f);

        sgd.Apply(w, [4], v, scale: 0.5f, rate: 0.5f);      // g = 2 + 0.25 = 2.25, v = 2.25, w = 1 − 1.125
        Assert.Equal((-0.125f, 2.25f), (w[0], v[0]));
        sgd.Apply(w, [0], v, scale: 0.5f, rate: 0.5f);      // g = −0.03125, v = 1.09375, w = −0.125 − 0.546875
        Assert.Equal((-0.671875f, 1.09375f), (w[0], v[0]));
    }

    [Fact]
    public void Nesterov_looks_ahead_along_the_momentum()
    {
        float[] w = [1], v = [2];

        new Sgd(0.5f, 0, Nesterov: true).Apply(w, [1], v, scale: 1, rate: 0.5f);    // v = 2, w = 1 − 0.5·(1 + 0.5·2)

        Assert.Equal((0f, 2f), (w[0], v[0]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_slicing_gives_the_same_bits(bool nesterov)
    {
        var sgd = new Sgd(0.9f, 5e-4f, nesterov);
        using var start = Numbers.Uniform(1003, 1);
        using var gradient = Numbers.Uniform(1003, 2);
        float[] whole = start.Span.ToArray(), wholeV = new float[1003], sliced = start.Span.ToArray(), slicedV = new float[1003];

        for (int step = 0; step < 3; step++)
        {
            sgd.Apply(whole, gradient.Span, wholeV, 1f / 96, 0.02f);
            foreach ((int from, int to) in new[] { (0, 1), (1, 17), (17, 500), (500, 1003) })
                sgd.Apply(sliced.AsSpan(from..to), gradient.Span[from..to], slicedV.AsSpan(from..to), 1f / 96, 0.02f);
        }

        Numbers.AssertSameBits(whole, sliced, "weights");
        Numbers.AssertSameBits(wholeV, slicedV, "velocity");
    }

    [Fact]
    public void Slices_of_different_lengths_are_refused() =>
        Assert.Throws<ArgumentException>(() => new Sgd(0.9f, 0).Apply(new float[2], new float[3], new float[2], 1, 1));
}
