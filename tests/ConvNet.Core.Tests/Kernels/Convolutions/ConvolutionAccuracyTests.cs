using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Kernels.Convolutions;

/// <summary>The three passes against textbook loops in double precision, which share nothing with the kernels or their specification.</summary>
public sealed unsafe class ConvolutionAccuracyTests
{
    private const double Tolerance = 2e-6;

    [Fact]
    public void All_three_passes_are_near_the_textbook_in_double_precision()
    {
        foreach (ConvolutionGeometry g in ConvolutionCases.All)
        {
            const int blocks = 2;
            int inputs = g.Input.Elements * Stripes.Count, outputs = g.Output.Elements * Stripes.Count;
            using AlignedBuffer x = Numbers.Uniform(blocks * inputs, seed: 1), dy = Numbers.Uniform(blocks * outputs, seed: 2), w = Numbers.Uniform(g.Weights, seed: 3);
            using AlignedBuffer y = Numbers.Unwritten(blocks * outputs), dx = Numbers.Unwritten(blocks * inputs), dw = Numbers.Unwritten(g.Weights);
            double[] expectedY = new double[y.Length], expectedDx = new double[dx.Length], expectedDw = new double[dw.Length];
            Textbook(g, blocks, x.Span, dy.Span, w.Span, expectedY, expectedDx, expectedDw);

            Correlation forward = Correlation.Forward(g), backward = Correlation.InputGradient(g);
            using AlignedBuffer packed = Numbers.Unwritten(forward.PackedLength), crosswise = Numbers.Unwritten(backward.PackedLength);
            using AlignedBuffer scratch = Numbers.Unwritten(WeightGradient.ScratchLength);
            forward.Pack(w.Pointer, packed.Pointer);
            backward.Pack(w.Pointer, crosswise.Pointer);
            for (int block = 0; block < blocks; block++)
            {
                forward.Run(packed.Pointer, x.Pointer + (block * inputs), null, y.Pointer + (block * outputs), rectify: false);
                backward.Run(crosswise.Pointer, dy.Pointer + (block * outputs), null, dx.Pointer + (block * inputs), rectify: false);
            }

            new WeightGradient(g).Run(x.Pointer, dy.Pointer, dw.Pointer, blocks, scratch.Pointer);

            Numbers.AssertNear(expectedY, y.Span, Tolerance, $"y of {g}");
            Numbers.AssertNear(expectedDx, dx.Span, Tolerance, $"dx of {g}");
            Numbers.AssertNear(expectedDw, dw.Span, Tolerance, $"dw of {g}");
        }
    }

    /// <summary>One loop over every product there is; each goes into y, and crosswise into dx and dw.</summary>
    private static void Textbook(
        ConvolutionGeometry g, int blocks, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, ReadOnlySpan<float> w, double[] y, double[] dx, double[] dw)
    {
        Shape i = g.Input, o = g.Output, window = new(g.GroupInputs, g.Rows.Kernel, g.Columns.Kernel);
        for (int to = 0; to < y.Length; to++)
        {
            (int n, int oc, int oh, int ow) = Unplace(o, to);
            for (int tap = 0; tap < window.Elements; tap++)
            {
                int kw = tap % window.Width, kh = tap / window.Width % window.Height, c = tap / window.Pixels;
                int h = (oh * g.Rows.Stride) + (kh * g.Rows.Dilation) - g.Rows.Before, v = (ow * g.Columns.Stride) + (kw * g.Columns.Dilation) - g.Columns.Before;
                if (h < 0 || v < 0 || h >= i.Height || v >= i.Width)
                    continue;
                int from = Place(i, n, (oc / g.GroupOutputs * g.GroupInputs) + c, h, v), weight = (oc * window.Elements) + tap;
                y[to] += (double)w[weight] * x[from];
                dx[from] += (double)w[weight] * dy[to];
                dw[weight] += (double)x[from] * dy[to];
            }
        }
    }

    private static (int Sample, int Channel, int Row, int Column) Unplace(Shape s, int place)
    {
        int pixel = place / 16 % s.Pixels, plane = place / 16 / s.Pixels;
        return ((plane / s.Channels * 16) + (place % 16), plane % s.Channels, pixel / s.Width, pixel % s.Width);
    }

    private static int Place(Shape s, int n, int c, int h, int v) =>
        (((((((n / 16) * s.Channels) + c) * s.Height) + h) * s.Width) + v) * 16 + (n % 16);
}
