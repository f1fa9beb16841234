using ConvNet.Core.Initializers;

namespace ConvNet.Core.Tests.Initializers;

public sealed class InitializerTests
{
    public static TheoryData<string, double> Variances() => new()
    {
        { "zeros", 0 },
        { "he-normal", 2.0 / 50 },
        { "he-uniform", 2.0 / 50 },
        { "xavier-normal", 2.0 / 150 },
        { "xavier-uniform", 2.0 / 150 },
        { "lecun-normal", 1.0 / 50 },
        { "lecun-uniform", 1.0 / 50 },
    };

    [Theory]
    [MemberData(nameof(Variances))]
    public void The_variance_is_the_published_one_and_the_mean_0(string name, double variance)
    {
        var values = new float[100_000];

        Initializer.All.Single(i => i.Name == name).Fill(values, fanIn: 50, fanOut: 100, seed: 1, parameter: 3);

        Assert.Equal(0, values.Average(), 0.003);
        Assert.Equal(variance, values.Average(v => (double)v * v), 0.02 * variance);
        if (name.EndsWith("uniform", StringComparison.Ordinal))
            Assert.InRange(values.Max(), 0.99 * Math.Sqrt(3 * variance), 1.0001 * Math.Sqrt(3 * variance));
    }

    [Fact]
    public void A_value_depends_on_seed_parameter_and_place_alone()
    {
        float[] few = new float[10], many = new float[1000], other = new float[10], seeded = new float[10];
        Initializer.HeNormal.Fill(few, 9, 9, seed: 1, parameter: 0);
        Initializer.HeNormal.Fill(many, 9, 9, seed: 1, parameter: 0);
        Initializer.HeNormal.Fill(other, 9, 9, seed: 1, parameter: 1);
        Initializer.HeNormal.Fill(seeded, 9, 9, seed: 2, parameter: 0);

        Numbers.AssertSameBits(few, many.AsSpan(0, 10), "values");
        Assert.NotEqual(few, other);
        Assert.NotEqual(few, seeded);
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963985)]
    [InlineData(0.025, -1.959963985)]
    [InlineData(0.999, 3.090232306)]
    [InlineData(0.001, -3.090232306)]
    [InlineData(0.8413447461, 1)]
    public void Quantiles_of_the_normal_distribution_are_the_tabulated_ones(double p, double expected) =>
        Assert.Equal(expected, NormalQuantile.Of(p), 1e-7);

    [Fact]
    public void The_logarithm_agrees_with_the_platforms()
    {
        foreach (double x in new[] { 1e-300, 1e-9, 0.02, 0.7071, 1, 1.5, 2, 12345.678 })
            Assert.Equal(Math.Log(x), NormalQuantile.Log(x), 1e-13 * Math.Max(1, Math.Abs(Math.Log(x))));
    }
}
