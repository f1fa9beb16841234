using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Convolutions;

/// <summary>The specification of a convolution's three passes over sample lanes: plain loops in the canonical order, no vectors, no plans.</summary>
/// <remarks>
/// What <see cref="Correlation"/> and <see cref="WeightGradient"/> compute, they compute to these very bits. For each element read off here: which terms
/// take part, in which order, and where a sum is cut. Nothing calls this but tests.
/// </remarks>
internal static unsafe class ConvolutionReference
{
    /// <summary>y from x, one block of 16 samples.</summary>
    /// <param name="g">The convolution.</param>
    /// <param name="x"><c>[C][H][W][16]</c>.</param>
    /// <param name="w"><c>[OC, C/groups, KH, KW]</c>.</param>
    /// <param name="bias"><c>[OC]</c>, or null.</param>
    /// <param name="y"><c>[OC][OH][OW][16]</c>, overwritten.</param>
    /// <param name="rectify">Whether negative results become 0.</param>
    public static void Forward(ConvolutionGeometry g, float* x, float* w, float* bias, float* y, bool rectify)
    {
        int blockChannels = SumBlocks.Channels(g.Taps);
        foreach ((int oc, int oh, int ow) in Places(g.Output))
        {
            int group = oc / g.GroupOutputs;
            for (int lane = 0; lane < Stripes.Count; lane++)
            {
                float total = 0;
                for (int block = 0; block < g.GroupInputs; block += blockChannels)
                {
                    float sum = 0;
                    for (int kh = 0; kh < g.Rows.Kernel; kh++)
                    {
                        for (int kw = 0; kw < g.Columns.Kernel; kw++)
                        {
                            int h = g.Rows.Source(oh, kh), v = g.Columns.Source(ow, kw);
                            if (!g.Input.Holds(h, v))
                                continue;
                            for (int c = block; c < Math.Min(block + blockChannels, g.GroupInputs); c++)
                            {
                                sum = MathF.FusedMultiplyAdd(
                                    w[Weight(g, oc, c, kh, kw)], x[At(g.Input, (group * g.GroupInputs) + c, h, v) + lane], sum);
                            }
                        }
                    }

                    total = block > 0 ? total + sum : sum;
                }

                if (bias != null)
                    total += bias[oc];
                y[At(g.Output, oc, oh, ow) + lane] = rectify && total <= 0 ? 0 : total;
            }
        }
    }

    /// <summary>dx from dy, one block of 16 samples.</summary>
    /// <param name="g">The convolution.</param>
    /// <param name="dy"><c>[OC][OH][OW][16]</c>.</param>
    /// <param name="w"><c>[OC, C/groups, KH, KW]</c>.</param>
    /// <param name="dx"><c>[C][H][W][16]</c>, overwritten.</param>
    public static void InputGradient(ConvolutionGeometry g, float* dy, float* w, float* dx)
    {
        int blockChannels = SumBlocks.Channels(g.Taps);
        foreach ((int channel, int h, int v) in Places(g.Input))
        {
            int group = channel / g.GroupInputs, c = channel % g.GroupInputs;
            for (int lane = 0; lane < Stripes.Count; lane++)
            {
                float total = 0;
                for (int block = 0; block < g.GroupOutputs; block += blockChannels)
                {
                    float sum = 0;
                    for (int kh = 0; kh < g.Rows.Kernel; kh++)
                    {
                        for (int kw = 0; kw < g.Columns.Kernel; kw++)
                        {
                            if (!LooksAt(g.Rows, kh, h, out int oh) || !LooksAt(g.Columns, kw, v, out int ow) || !g.Output.Holds(oh, ow))
                                continue;
                            for (int o = block; o < Math.Min(block + blockChannels, g.GroupOutputs); o++)
                            {
                                int oc = (group * g.GroupOutputs) + o;
                                sum = MathF.FusedMultiplyAdd(w[Weight(g, oc, c, kh, kw)], dy[At(g.Output, oc, oh, ow) + lane], sum);
                            }
                        }
                    }

                    total = block > 0 ? total + sum : sum;
                }

                dx[At(g.Input, channel, h, v) + lane] = total;
            }
        }
    }

    /// <summary>dw from x and dy, all blocks of 16 samples.</summary>
    /// <param name="g">The convolution.</param>
    /// <param name="x"><c>[block][C][H][W][16]</c>.</param>
    /// <param name="dy"><c>[block][OC][OH][OW][16]</c>.</param>
    /// <param name="dw"><c>[OC, C/groups, KH, KW]</c>, overwritten.</param>
    /// <param name="blocks">Blocks of 16 samples.</param>
    public static void WeightGradient(ConvolutionGeometry g, float* x, float* dy, float* dw, int blocks)
    {
        float* stripes = stackalloc float[Stripes.Count];
        foreach ((int oc, int kh, int kw) in Places(new Shape(g.OutChannels, g.Rows.Kernel, g.Columns.Kernel)))
        {
            int group = oc / g.GroupOutputs;
            for (int c = 0; c < g.GroupInputs; c++)
            {
                for (int lane = 0; lane < Stripes.Count; lane++)
                {
                    float sum = 0;
                    for (int block = 0; block < blocks; block++)
                    {
                        float* blockX = x + ((nint)block * g.Input.Elements * Stripes.Count);
                        float* blockDy = dy + ((nint)block * g.Output.Elements * Stripes.Count);
                        for (int oh = 0; oh < g.Output.Height; oh++)
                        {
                            int h = g.Rows.Source(oh, kh);
                            if (h < 0 || h >= g.Input.Height)
                                continue;
                            for (int ow = 0; ow < g.Output.Width; ow++)
                            {
                                int v = g.Columns.Source(ow, kw);
                                float seen = g.Input.Holds(h, v) ? blockX[At(g.Input, (group * g.GroupInputs) + c, h, v) + lane] : 0;
                                sum = MathF.FusedMultiplyAdd(blockDy[At(g.Output, oc, oh, ow) + lane], seen, sum);
                            }
                        }
                    }

                    stripes[lane] = sum;
                }

                dw[Weight(g, oc, c, kh, kw)] = Stripes.Fold(stripes);
            }
        }
    }

    private static IEnumerable<(int Channel, int Row, int Column)> Places(Shape shape)
    {
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            for (int row = 0; row < shape.Height; row++)
            {
                for (int column = 0; column < shape.Width; column++)
                    yield return (channel, row, column);
            }
        }
    }

    private static nint At(Shape shape, int channel, int row, int column) =>
        ((((nint)channel * shape.Height) + row) * shape.Width + column) * Stripes.Count;

    private static int Weight(ConvolutionGeometry g, int oc, int c, int kh, int kw) =>
        (((((oc * g.GroupInputs) + c) * g.Rows.Kernel) + kh) * g.Columns.Kernel) + kw;

    /// <summary>The output place whose tap k looks at a source place, if there is one; it may lie outside the output.</summary>
    private static bool LooksAt(Window window, int k, int source, out int output)
    {
        int distance = source + window.Before - (k * window.Dilation);
        output = distance / window.Stride;
        return distance % window.Stride == 0;
    }
}
