using ConvNet.Core.Initializers;
using Xunit;

namespace ConvNet.Core.Tests.Initializers;

public class InitializerTests
{
    private const int FanIn = 50, FanOut = 30, Count = 100_000;

    public static TheoryData<string, double> Variances => new()
    {
        { "he-normal", 2.0 / FanIn },
        { "he-uniform", 2.0 / FanIn },
        { "xavier-normal", 2.0 / (FanIn + FanOut) },
        { "xavier-uniform", 2.0 / (FanIn + FanOut) },
        { "lecun-normal", 1.0 / FanIn },
        { "lecun-uniform", 1.0 / FanIn },
        { "narrow-uniform", 1.0 / (3 * FanIn) },
    };

    [Theory]
    [MemberData(nameof(Variances))]
    public void Mean_variance_and_shape_are_those_of_the_distribution(string name, double variance)
    {
        float[] values = Fill(name, Count);
        double mean = values.Average(v => (double)v), second = values.Average(v => (double)v * v), fourth = values.Average(v => Math.Pow(v, 4));

        // Four standard errors each.
        Assert.Equal(0, mean, 4 * Math.Sqrt(variance / Count));
        Assert.Equal(1, second / variance, 4 * Math.Sqrt(2.0 / Count));
        Assert.Equal(name.EndsWith("normal", StringComparison.Ordinal) ? 3 : 1.8, fourth / (variance * variance), 0.13);
    }

    [Theory]
    [MemberData(nameof(Variances))]
    public void Uniform_numbers_stay_within_their_bounds_and_come_near_them(string name, double variance)
    {
        float[] values = Fill(name, Count);
        float bound = (float)Math.Sqrt(3 * variance);
        if (name.EndsWith("normal", StringComparison.Ordinal))
        {
            Assert.Contains(values, v => Math.Abs(v) > 1.5f * bound);
            return;
        }

        Assert.All(values, v => Assert.InRange(v, -bound, bound));
        Assert.True(values.Max() > bound * 0.999f && values.Min() < -bound * 0.999f);
    }

    [Fact]
    public void Zeros_are_zeros()
    {
        float[] values = [1, 2, 3];

        Initializer.Zeros.Fill(values, FanIn, FanOut, seed: 1, parameter: 0);

        Assert.Equal([0, 0, 0], values);
    }

    // Golden: an independent Philox 4x32-10 in Python (counter: element, element >> 32, parameter, 1; key: seed, seed >> 32), u = (word + 0.5) / 2**32,
    // then sqrt(2/25) * sqrt(3) * (2u - 1), rounded once.
    [Theory]
    [InlineData(0, 0xBEBB9A73u, 0xBEBD0EE1u, 0xBEBB26A5u, 0x3EB34A4Bu)]
    [InlineData(3, 0x3D8087CBu, 0xBCCDBACCu, 0x3DFBB019u, 0x3DB45F0Au)]
    public void Uniform_numbers_have_these_bits_for_ever(int parameter, params uint[] bits)
    {
        var values = new float[4];

        Initializer.HeUniform.Fill(values, fanIn: 25, fanOut: 150, seed: 42, parameter);

        Assert.Equal(bits, values.Select(BitConverter.SingleToUInt32Bits));
    }

    // The same words through statistics.NormalDist().inv_cdf, times sqrt(2/25).
    [Theory]
    [InlineData(0, -0.3239546140623005, -0.32794867822324647, -0.3227257579988933, 0.30227340005581654)]
    [InlineData(3, 0.04560938800002136, -0.018184669671750222, 0.09044460973145893, 0.06427795399942901)]
    public void Normal_numbers_are_the_quantiles_of_the_same_words(int parameter, params double[] expected)
    {
        var values = new float[4];

        Initializer.HeNormal.Fill(values, fanIn: 25, fanOut: 150, seed: 42, parameter);

        for (int i = 0; i < 4; i++)
            Assert.Equal(expected[i], values[i], 3e-8);
    }

    [Fact]
    public void An_element_does_not_depend_on_how_many_are_drawn_or_on_the_fan_out()
    {
        float[] few = new float[10], many = new float[1000];

        Initializer.HeNormal.Fill(few, 25, 7, seed: 5, parameter: 2);
        Initializer.HeNormal.Fill(many, 25, 9, seed: 5, parameter: 2);

        Assert.Equal(few, many[..10]);
    }

    [Theory]
    [InlineData(0, 120)]
    [InlineData(7, 60)]
    [InlineData(119, 1)]
    public void A_range_of_a_network_is_initialized_as_the_whole_is(int start, int length)
    {
        var network = Networks.Graphs.Of("a shortcut around a convolution");
        float[] whole = new float[network.ParameterCount], range = new float[length];

        network.Initialize(whole, seed: 3);
        network.Initialize(start, range, seed: 3);

        Assert.Equal(whole[start..(start + length)], range);
    }

    [Fact]
    public void Seeds_and_parameters_draw_different_numbers()
    {
        float[][] draws = [Draw(1, 0), Draw(2, 0), Draw(1, 1), Draw(1UL << 32, 0)];

        Assert.Equal(4 * 8, draws.SelectMany(d => d).Distinct().Count());

        static float[] Draw(ulong seed, int parameter)
        {
            var values = new float[8];
            Initializer.HeUniform.Fill(values, 25, 25, seed, parameter);
            return values;
        }
    }

    [Fact]
    public void Every_initializer_has_its_own_name() =>
        Assert.Equal(["he-normal", "he-uniform", "lecun-normal", "lecun-uniform", "narrow-uniform", "ones", "xavier-normal", "xavier-uniform", "zeros"],
            Initializer.All.Select(i => i.Name).Order(StringComparer.Ordinal));

    private static float[] Fill(string name, int count)
    {
        var values = new float[count];
        Initializer.All.Single(i => i.Name == name).Fill(values, FanIn, FanOut, seed: 1, parameter: 4);
        return values;
    }
}
