using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.Convolutions;

public sealed unsafe class WeightGradientTests
{
    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_gradient_by_weight_gives_the_bits_of_the_specification(int width)
    {
        foreach (ConvolutionGeometry g in ConvolutionCases.All)
        {
            int blocks = 1 + (g.Weights % 3);
            using AlignedBuffer x = Numbers.Uniform(blocks * g.Input.Elements * Stripes.Count, seed: 1);
            using AlignedBuffer dy = Numbers.Uniform(blocks * g.Output.Elements * Stripes.Count, seed: 2);
            using AlignedBuffer expected = Numbers.Unwritten(g.Weights), actual = Numbers.Unwritten(g.Weights);
            using AlignedBuffer scratch = Numbers.Unwritten(WeightGradient.ScratchLength);
            var pass = new WeightGradient(g);

            ConvolutionReference.WeightGradient(g, x.Pointer, dy.Pointer, expected.Pointer, blocks);
            switch (width)
            {
                case 16: pass.Run<Vector512<float>, Ops512>(x.Pointer, dy.Pointer, actual.Pointer, blocks, scratch.Pointer); break;
                case 8: pass.Run<Vector256<float>, Ops256>(x.Pointer, dy.Pointer, actual.Pointer, blocks, scratch.Pointer); break;
                default: pass.Run<Vector128<float>, Ops128>(x.Pointer, dy.Pointer, actual.Pointer, blocks, scratch.Pointer); break;
            }

            Numbers.AssertSameBits(expected.Span, actual.Span, $"{g}, {blocks} blocks, width {width}");
        }
    }
}
