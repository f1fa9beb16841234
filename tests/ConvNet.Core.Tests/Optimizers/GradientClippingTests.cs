using ConvNet.Core.Memory;
using ConvNet.Core.Numerics;
using ConvNet.Core.Optimizers;
using Xunit;

namespace ConvNet.Core.Tests.Optimizers;

public class GradientClippingTests
{
    [Fact]
    public void By_value_makes_the_mean_and_cuts_it()
    {
        float[] gradient = [8, -8, 3, -1, 0, float.PositiveInfinity, float.NaN];

        GradientClipping.ByValue(gradient, 0.5f, 2);

        Assert.Equal([2, -2, 1.5f, -0.5f, 0, 2, float.NaN], gradient);
    }

    [Theory]
    [MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public unsafe void By_value_has_the_same_bits_at_all_widths(int width)
    {
        using AlignedBuffer expected = Numbers.Uniform(53, 3), actual = Numbers.Copy(expected);
        GradientClipping.ByValue(expected.Span, 0.3f, 0.1f);

        Widths.Run<GradientClipping.Kernel, GradientClipping.Arguments>(width, new(actual.Pointer, 53, 0.3f, 0.1f));

        Numbers.AssertSameBits(expected.Span, actual.Span, $"width {width}");
    }

    [Fact]
    public void The_sum_of_squares_is_right()
    {
        using AlignedBuffer values = Numbers.Uniform(1003, 4);
        var sum = new ExactSum();

        GradientClipping.AddSquares(values.Span, 0, ref sum);

        Assert.Equal(values.Span.ToArray().Sum(v => (double)v * v), sum.Value, 1e-10);
    }

    [Fact]
    public void The_sum_of_squares_does_not_depend_on_how_the_parameters_are_cut_into_shards()
    {
        using AlignedBuffer values = Numbers.Uniform(1003, 5);
        for (int i = 0; i < values.Length; i++)
            values.Span[i] *= MathF.ScaleB(1, (i % 60) - 30);
        double expected = Sum(values, [0, 1003]);
        var random = new Random(8);

        for (int round = 0; round < 50; round++)
        {
            int[] cuts = [0, .. Enumerable.Range(0, round % 7).Select(_ => 16 * random.Next(0, 63)).Order(), 1003];
            Assert.Equal(expected, Sum(values, cuts));
        }
    }

    [Fact]
    public void What_begins_in_the_middle_of_a_block_is_cut_like_the_whole()
    {
        using AlignedBuffer values = Numbers.Uniform(100, 6);
        ExactSum whole = default, parts = default;

        GradientClipping.AddSquares(values.Span[5..91], 5, ref whole);
        GradientClipping.AddSquares(values.Span[5..32], 5, ref parts);
        GradientClipping.AddSquares(values.Span[32..91], 32, ref parts);

        Assert.Equal(whole.Value, parts.Value);
    }

    [Theory]
    [InlineData(0.5, 1, 1)]
    [InlineData(1, 1, 1)]
    [InlineData(4, 1, 1 / (4 + 1e-6))]
    [InlineData(0, 1, 1)]
    [InlineData(double.NaN, 1, double.NaN)]
    public void The_factor_is_that_of_PyTorch(double norm, double limit, double factor) => Assert.Equal(factor, GradientClipping.Factor(norm, limit));

    private static double Sum(AlignedBuffer values, int[] cuts)
    {
        var total = new ExactSum();
        foreach ((int from, int to) in cuts.Zip(cuts.Skip(1)))
        {
            var part = new ExactSum();
            GradientClipping.AddSquares(values.Span[from..to], from, ref part);
            total.Add(part);
        }

        return total.Value;
    }
}
