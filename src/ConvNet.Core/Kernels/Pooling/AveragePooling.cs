using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Pooling;

/// <summary>y = Σ x / count over the window's places inside the image, row by row from +0; the count is of those places, or of those on padding too if padding counts. A window that sees nothing but padding gives 0.</summary>
internal readonly struct AveragePoolingForward : IKernel<PoolingArguments>
{
    public static unsafe void Run<TVector, TOps>(in PoolingArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int outputHeight = a.OutputHeight, outputWidth = a.OutputWidth;
        for (int plane = 0; plane < a.Planes; plane++)
        {
            float* x = a.X + ((nint)plane * a.Height * a.Width * Stripes.Count);
            float* y = a.Y + ((nint)plane * outputHeight * outputWidth * Stripes.Count);
            for (int oh = 0; oh < outputHeight; oh++)
            {
                (int khFirst, int khEnd) = PoolingArguments.Taps(a.Rows, oh, a.Height);
                for (int ow = 0; ow < outputWidth; ow++, y += Stripes.Count)
                {
                    (int kwFirst, int kwEnd) = PoolingArguments.Taps(a.Columns, ow, a.Width);
                    TVector share = TOps.Broadcast(Share(in a, oh, ow, (khEnd - khFirst) * (kwEnd - kwFirst)));
                    nint first = ((a.Rows.Source(oh, khFirst) * a.Width) + a.Columns.Source(ow, kwFirst)) * Stripes.Count;
                    nint line = (nint)a.Rows.Dilation * a.Width * Stripes.Count, step = (nint)a.Columns.Dilation * Stripes.Count;
                    for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                    {
                        float* from = x + first + lane;
                        TVector sum = default;
                        for (int kh = khFirst; kh < khEnd; kh++, from += line)
                        {
                            for (int kw = 0; kw < kwEnd - kwFirst; kw++)
                                sum = TOps.Add(sum, TOps.Load(from + (kw * step)));
                        }

                        TOps.Store(TOps.Multiply(sum, share), y + lane);
                    }
                }
            }
        }
    }

    /// <summary>1 / count, rounded once; for a count of 0 some finite number, as there is nothing to share.</summary>
    internal static float Share(in PoolingArguments a, int oh, int ow, int pixels) =>
        1f / (a.CountPadding ? WithPadding(a.Rows, oh, a.Height) * WithPadding(a.Columns, ow, a.Width) : Math.Max(1, pixels));

    /// <summary>Taps on pixels and padding: all of them, but for a last window that reaches over both.</summary>
    private static int WithPadding(Window window, int place, int size) =>
        Math.Min(window.Kernel, ((size + window.After - 1 - window.Source(place, 0)) / window.Dilation) + 1);
}

/// <summary>dx = dy / count at every place of the window; overlapping windows add up in order of the output.</summary>
internal readonly struct AveragePoolingBackward : IKernel<PoolingArguments>
{
    public static unsafe void Run<TVector, TOps>(in PoolingArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int outputHeight = a.OutputHeight, outputWidth = a.OutputWidth;
        new Span<float>(a.Dx, a.Planes * a.Height * a.Width * Stripes.Count).Clear();
        for (int plane = 0; plane < a.Planes; plane++)
        {
            float* dx = a.Dx + ((nint)plane * a.Height * a.Width * Stripes.Count);
            float* dy = a.Dy + ((nint)plane * outputHeight * outputWidth * Stripes.Count);
            for (int oh = 0; oh < outputHeight; oh++)
            {
                (int khFirst, int khEnd) = PoolingArguments.Taps(a.Rows, oh, a.Height);
                for (int ow = 0; ow < outputWidth; ow++, dy += Stripes.Count)
                {
                    (int kwFirst, int kwEnd) = PoolingArguments.Taps(a.Columns, ow, a.Width);
                    TVector share = TOps.Broadcast(AveragePoolingForward.Share(in a, oh, ow, (khEnd - khFirst) * (kwEnd - kwFirst)));
                    nint first = ((a.Rows.Source(oh, khFirst) * a.Width) + a.Columns.Source(ow, kwFirst)) * Stripes.Count;
                    nint line = (nint)a.Rows.Dilation * a.Width * Stripes.Count, step = (nint)a.Columns.Dilation * Stripes.Count;
                    for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                    {
                        TVector part = TOps.Multiply(TOps.Load(dy + lane), share);
                        float* to = dx + first + lane;
                        for (int kh = khFirst; kh < khEnd; kh++, to += line)
                        {
                            for (int kw = 0; kw < kwEnd - kwFirst; kw++)
                                TOps.Store(TOps.Add(TOps.Load(to + (kw * step)), part), to + (kw * step));
                        }
                    }
                }
            }
        }
    }
}
