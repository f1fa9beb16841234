using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.Elementwise;

public sealed unsafe class ActivationsTests
{
    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void Rectifying_keeps_what_is_positive_and_nan(int width) =>
        Check<ReluForward>(width, (x, _) => x <= 0 ? 0 : x);

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_slope_of_a_rectifier_is_zero_at_zero(int width) =>
        Check<ReluBackward>(width, (y, dy) => y > 0 ? dy : 0);

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_gradient_of_tanh_comes_from_its_result(int width) =>
        Check<TanhBackward>(width, (y, dy) => dy * (1 - (y * y)));

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_gradient_of_the_logistic_function_comes_from_its_result(int width) =>
        Check<SigmoidBackward>(width, (y, dy) => dy * (y * (1 - y)));

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_leaky_rectifier_lets_a_share_of_what_is_negative_through(int width)
    {
        Check<LeakyReluForward>(width, (x, _) => x > 0 ? x : x * 0.3f, constant: 0.3f);
        Check<LeakyReluBackward>(width, (y, dy) => y > 0 ? dy : dy * 0.3f, constant: 0.3f);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_gradient_of_an_exponential_linear_unit_comes_from_its_result(int width) =>
        Check<EluBackward>(width, (y, dy) => y > 0 ? dy : dy * (y + 1.5f), constant: 1.5f);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exponential_and_gaussian_units_give_the_same_bits_at_every_width(int width)
    {
        using AlignedBuffer x = Numbers.Uniform(208, seed: 1), dy = Numbers.Uniform(208, seed: 2), expected = Numbers.Unwritten(208), result = Numbers.Unwritten(208);
        SameBits<EluForward>();
        SameBits<GeluForward>();
        SameBits<GeluBackward>();

        void SameBits<TKernel>()
            where TKernel : struct, IKernel<ElementwiseArguments>
        {
            Tests.Widths.Run<TKernel, ElementwiseArguments>(4, new ElementwiseArguments(x.Pointer, dy.Pointer, expected.Pointer, 208, 1.5f));
            Tests.Widths.Run<TKernel, ElementwiseArguments>(width, new ElementwiseArguments(x.Pointer, dy.Pointer, result.Pointer, 208, 1.5f));
            Numbers.AssertSameBits(expected.Span, result.Span, typeof(TKernel).Name);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sums_may_have_any_length(int width)
    {
        for (int length = 0; length <= 257; length++)
            Check<AddKernel>(width, (a, b) => a + b, length);
    }

    [Fact]
    public void A_rectified_minus_zero_is_plus_zero()
    {
        using var x = new AlignedBuffer(Stripes.Count);
        x.Span.Fill(-0f);

        Widest.Run<ReluForward, ElementwiseArguments>(new ElementwiseArguments(x.Pointer, null, x.Pointer, x.Length));

        Assert.Equal(0, BitConverter.SingleToInt32Bits(x.Span[5]));
    }

    private static void Check<TKernel>(int width, Func<float, float, float> element, int length = 208, float constant = 0)
        where TKernel : struct, IKernel<ElementwiseArguments>
    {
        using AlignedBuffer first = Numbers.Uniform(length, seed: 1), second = Numbers.Uniform(length, seed: 2), result = Numbers.Unwritten(length + 16);
        if (length > 100)
            (first.Span[3], first.Span[20], first.Span[21], first.Span[22]) = (float.NaN, 0, -0f, float.PositiveInfinity);
        float[] expected = [.. first.Span.ToArray().Zip(second.Span.ToArray(), element), .. Enumerable.Repeat(float.NaN, 16)];

        Tests.Widths.Run<TKernel, ElementwiseArguments>(width, new ElementwiseArguments(first.Pointer, second.Pointer, result.Pointer, length, constant));

        Numbers.AssertSameBits(expected, result.Span, $"{typeof(TKernel).Name} of {length}, width {width}");
    }
}
