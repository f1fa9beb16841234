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

    private static void Check<TKernel>(int width, Func<float, float, float> element, int length = 208)
        where TKernel : struct, IKernel<ElementwiseArguments>
    {
        using AlignedBuffer first = Numbers.Uniform(length, seed: 1), second = Numbers.Uniform(length, seed: 2), result = Numbers.Unwritten(length + 16);
        if (length > 100)
            (first.Span[3], first.Span[20], first.Span[21], first.Span[22]) = (float.NaN, 0, -0f, float.PositiveInfinity);
        float[] expected = [.. first.Span.ToArray().Zip(second.Span.ToArray(), element), .. Enumerable.Repeat(float.NaN, 16)];

        Tests.Widths.Run<TKernel, ElementwiseArguments>(width, new ElementwiseArguments(first.Pointer, second.Pointer, result.Pointer, length));

        Numbers.AssertSameBits(expected, result.Span, $"{typeof(TKernel).Name} of {length}, width {width}");
    }
}
