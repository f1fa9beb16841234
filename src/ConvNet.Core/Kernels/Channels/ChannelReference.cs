using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>The specification of a gradient by weight over channel lanes: plain loops in the canonical order. The other two passes have the order of <see cref="ConvolutionReference"/>. Nothing calls this but tests.</summary>
internal static unsafe class ChannelReference
{
    /// <summary>dw from x and dy, both over channel lanes.</summary>
    public static void WeightGradient(ConvolutionGeometry g, int samples, float* x, float* dy, float* dw)
    {
        Shape i = g.Input, o = g.Output;
        (int unitsTogether, int rowsTogether) = ChannelWeightGradient.Block(g);
        for (int weight = 0; weight < g.Weights; weight++)
        {
            int kw = weight % g.Columns.Kernel, kh = weight / g.Columns.Kernel % g.Rows.Kernel, c = weight / g.Taps % i.Channels, oc = weight / g.Taps / i.Channels;
            float total = 0;
            bool first = true;
            for (int sample = 0; sample < samples; sample += unitsTogether)
            {
                for (int row = 0; row < o.Height; row += rowsTogether, first = false)
                {
                    float sum = 0;
                    for (int n = sample; n < Math.Min(sample + unitsTogether, samples); n++)
                    {
                        for (int oh = row; oh < Math.Min(row + rowsTogether, o.Height); oh++)
                        {
                            for (int ow = 0; ow < o.Width; ow++)
                            {
                                int h = g.Rows.Source(oh, kh), v = g.Columns.Source(ow, kw);
                                if (i.Holds(h, v))
                                    sum = MathF.FusedMultiplyAdd(x[At(i, n, c, h, v)], dy[At(o, n, oc, oh, ow)], sum);
                            }
                        }
                    }

                    total = first ? sum : total + sum;
                }
            }

            dw[weight] = total;
        }
    }

    /// <summary>Where a number lies in <c>[N][C/16][H][W][16]</c>.</summary>
    public static nint At(Shape s, int sample, int channel, int row, int column) =>
        (((((((nint)sample * Extent.Groups(s.Channels)) + (channel / Stripes.Count)) * s.Height) + row) * s.Width) + column) * Stripes.Count + (channel % Stripes.Count);
}
