using ConvNet.Core.Initializers;
using Xunit;

namespace ConvNet.Core.Tests.Initializers;

public class NormalQuantileTests
{
    // Golden: python3 -c "from statistics import NormalDist; print(NormalDist().inv_cdf(0.001))" (Wichura's AS241, 16 digits).
    [Theory]
    [InlineData(1e-300, -37.0470962993612)]
    [InlineData(1e-9, -5.9978070150076865)]
    [InlineData(1e-6, -4.753424308822899)]
    [InlineData(0.001, -3.090232306167813)]
    [InlineData(0.01, -2.3263478740408408)]
    [InlineData(0.02425, -1.9729610513118845)]
    [InlineData(0.025, -1.9599639845400538)]
    [InlineData(0.1, -1.2815515655446008)]
    [InlineData(0.3, -0.5244005127080407)]
    [InlineData(0.5, 0)]
    [InlineData(0.75, 0.6744897501960817)]
    [InlineData(0.975, 1.9599639845400536)]
    [InlineData(0.99, 2.3263478740408408)]
    [InlineData(0.999999, 4.753424308817089)]
    public void Quantiles_are_those_of_the_tables(double p, double expected) =>
        Assert.Equal(expected, NormalQuantile.Of(p), Math.Max(1e-12, 1.2e-9 * Math.Abs(expected)));

    [Fact]
    public void Quantiles_rise_and_are_odd_about_a_half()
    {
        double before = double.NegativeInfinity;
        for (int i = 1; i < 4096; i++)
        {
            double p = i / 4096.0, quantile = NormalQuantile.Of(p);
            Assert.True(quantile > before, $"at {p}");
            Assert.Equal(-quantile, NormalQuantile.Of(1 - p));
            before = quantile;
        }
    }

    [Fact]
    public void The_outermost_numbers_that_can_be_drawn_are_finite()
    {
        Assert.Equal(-6.337957755, NormalQuantile.Of(0.5 / 4294967296.0), 1e-8);
        Assert.Equal(6.337957755, NormalQuantile.Of(4294967295.5 / 4294967296.0), 1e-8);
    }

    [Theory]
    [InlineData(1e-300)]
    [InlineData(1e-9)]
    [InlineData(0.02)]
    [InlineData(0.70710678118654746)]
    [InlineData(0.70710678118654757)]
    [InlineData(1)]
    [InlineData(1.4142135623730951)]
    [InlineData(3)]
    [InlineData(1e300)]
    public void Our_logarithm_is_the_platform_s_within_two_units_in_the_last_place(double x) =>
        Assert.Equal(Math.Log(x), NormalQuantile.Log(x), Math.Abs(Math.Log(x)) * 4.5e-16);
}
