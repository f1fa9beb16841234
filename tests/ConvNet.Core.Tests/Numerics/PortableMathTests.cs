using ConvNet.Core.Numerics;
using Xunit;

namespace ConvNet.Core.Tests.Numerics;

public class PortableMathTests
{
    [Fact]
    public void The_cosine_is_that_of_the_platform()
    {
        for (int i = 0; i <= 1000; i++)
            Assert.Equal(Math.Cos(Math.PI * i / 1000), PortableMath.CosPi(i / 1000.0), 1e-15);
    }

    [Fact]
    public void Exponential_and_logarithm_are_those_of_the_platform()
    {
        for (double x = -700; x <= 700; x += 0.37)
        {
            Assert.Equal(1, PortableMath.Exp(x) / Math.Exp(x), 1e-14);
            double y = Math.Exp(x);
            Assert.Equal(Math.Log(y), PortableMath.Log(y), 1e-15 * Math.Max(1, Math.Abs(x)));
        }
    }

    [Theory]
    [InlineData(0.999, 1)]
    [InlineData(0.999, 64_000)]
    [InlineData(0.1, 3)]
    [InlineData(0.97, 0)]
    [InlineData(0, 5)]
    public void Whole_powers_are_those_of_the_platform(double x, long n) => Assert.Equal(Math.Pow(x, n), PortableMath.Power(x, n), 1e-13);

    [Fact]
    public void Real_powers_are_those_of_the_platform()
    {
        foreach (double y in new[] { 0, 0.5, 0.9, 1, 2, 3.7, -1.5 })
        {
            for (double x = 0.001; x <= 3; x += 0.0137)
                Assert.Equal(1, PortableMath.Power(x, y) / Math.Pow(x, y), 1e-13);
        }

        Assert.Equal(0, PortableMath.Power(0.0, 0.9));
        Assert.Equal(1, PortableMath.Power(0.0, 0.0));
    }

    [Fact]
    public void The_ends_of_the_range()
    {
        Assert.Equal(0, PortableMath.Exp(-1000));
        Assert.Equal(double.PositiveInfinity, PortableMath.Exp(1000));
        Assert.True(double.IsNaN(PortableMath.Exp(double.NaN)));
        Assert.Throws<ArgumentOutOfRangeException>(() => PortableMath.Log(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => PortableMath.Power(-1.0, 0.5));
    }
}
