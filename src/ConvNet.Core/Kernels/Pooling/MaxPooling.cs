using System.Runtime.CompilerServices;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Pooling;

/// <summary>y = the greatest x in the window; padding never wins. A window that sees nothing but padding gives 0.</summary>
internal readonly struct MaxPoolingForward : IKernel<PoolingArguments>
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
                    nint first = ((a.Rows.Source(oh, khFirst) * a.Width) + a.Columns.Source(ow, kwFirst)) * Stripes.Count;
                    nint line = (nint)a.Rows.Dilation * a.Width * Stripes.Count, step = (nint)a.Columns.Dilation * Stripes.Count;
                    for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                    {
                        float* from = x + first + lane;
                        TVector most = khFirst < khEnd && kwFirst < kwEnd ? TOps.Load(from) : default;
                        for (int kh = khFirst; kh < khEnd; kh++, from += line)
                        {
                            for (int kw = 0; kw < kwEnd - kwFirst; kw++)
                                most = TOps.Greater(TOps.Load(from + (kw * step)), most);
                        }

                        TOps.Store(most, y + lane);
                    }
                }
            }
        }
    }
}

/// <summary>dx = dy at the first place of the window, row by row, that holds the maximum; 0 elsewhere; overlapping windows add up in order of the output.</summary>
internal readonly struct MaxPoolingBackward : IKernel<PoolingArguments>
{
    public static unsafe void Run<TVector, TOps>(in PoolingArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int outputHeight = a.OutputHeight, outputWidth = a.OutputWidth;
        bool disjoint = a.WindowsAreDisjoint;
        if (!a.WindowsTile)
            new Span<float>(a.Dx, a.Planes * a.Height * a.Width * Stripes.Count).Clear();
        for (int plane = 0; plane < a.Planes; plane++)
        {
            nint xPlane = (nint)plane * a.Height * a.Width * Stripes.Count, yPlane = (nint)plane * outputHeight * outputWidth * Stripes.Count;
            for (int oh = 0; oh < outputHeight; oh++)
            {
                (int khFirst, int khEnd) = PoolingArguments.Taps(a.Rows, oh, a.Height);
                for (int ow = 0; ow < outputWidth; ow++)
                {
                    (int kwFirst, int kwEnd) = PoolingArguments.Taps(a.Columns, ow, a.Width);
                    nint first = ((a.Rows.Source(oh, khFirst) * a.Width) + a.Columns.Source(ow, kwFirst)) * Stripes.Count;
                    nint line = (nint)a.Rows.Dilation * a.Width * Stripes.Count, step = (nint)a.Columns.Dilation * Stripes.Count;
                    nint output = yPlane + (((oh * outputWidth) + ow) * Stripes.Count);
                    for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                    {
                        TVector most = TOps.Load(a.Y + output + lane), rest = TOps.Load(a.Dy + output + lane);
                        nint at = xPlane + first + lane;
                        for (int kh = khFirst; kh < khEnd; kh++, at += line)
                        {
                            for (int kw = 0; kw < kwEnd - kwFirst; kw++)
                            {
                                TVector won = TOps.IsEqual(TOps.Load(a.X + at + (kw * step)), most);
                                Give<TVector, TOps>(TOps.And(won, rest), a.Dx + at + (kw * step), disjoint);
                                rest = TOps.AndNot(rest, won);   // what was given is not given again
                            }
                        }
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Give<TVector, TOps>(TVector value, float* dx, bool overwrite)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector> =>
        TOps.Store(overwrite ? value : TOps.Add(TOps.Load(dx), value), dx);
}
