using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.Convolutions;

public sealed unsafe class CorrelationTests
{
    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_forward_pass_gives_the_bits_of_the_specification(int width)
    {
        foreach (ConvolutionGeometry g in ConvolutionCases.All)
        {
            using AlignedBuffer x = Numbers.Uniform(g.Input.Elements * Stripes.Count, seed: 1), w = Numbers.Uniform(g.Weights, seed: 2);
            using AlignedBuffer bias = Numbers.Uniform(g.OutChannels, seed: 3);
            using AlignedBuffer expected = Numbers.Unwritten(g.Output.Elements * Stripes.Count), actual = Numbers.Unwritten(expected.Length);
            bool rectify = g.OutChannels % 2 == 0;
            float* b = g.Input.Width % 3 == 0 ? null : bias.Pointer;

            ConvolutionReference.Forward(g, x.Pointer, w.Pointer, b, expected.Pointer, rectify);
            Run(width, Correlation.Forward(g), w, x, b, actual, rectify);

            Numbers.AssertSameBits(expected.Span, actual.Span, $"{g}, width {width}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_gradient_by_input_gives_the_bits_of_the_specification(int width)
    {
        foreach (ConvolutionGeometry g in ConvolutionCases.All)
        {
            using AlignedBuffer dy = Numbers.Uniform(g.Output.Elements * Stripes.Count, seed: 1), w = Numbers.Uniform(g.Weights, seed: 2);
            using AlignedBuffer expected = Numbers.Unwritten(g.Input.Elements * Stripes.Count), actual = Numbers.Unwritten(expected.Length);

            ConvolutionReference.InputGradient(g, dy.Pointer, w.Pointer, expected.Pointer);
            Run(width, Correlation.InputGradient(g), w, dy, null, actual, rectify: false);

            Numbers.AssertSameBits(expected.Span, actual.Span, $"{g}, width {width}");
        }
    }

    private static void Run(int width, Correlation pass, AlignedBuffer w, AlignedBuffer source, float* bias, AlignedBuffer destination, bool rectify)
    {
        using AlignedBuffer packed = Numbers.Unwritten(pass.PackedLength);
        pass.Pack(w.Pointer, packed.Pointer);
        switch (width)
        {
            case 16: pass.Run<Vector512<float>, Ops512>(packed.Pointer, source.Pointer, bias, destination.Pointer, rectify); break;
            case 8: pass.Run<Vector256<float>, Ops256>(packed.Pointer, source.Pointer, bias, destination.Pointer, rectify); break;
            default: pass.Run<Vector128<float>, Ops128>(packed.Pointer, source.Pointer, bias, destination.Pointer, rectify); break;
        }
    }
}
