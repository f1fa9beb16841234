using System.Runtime.CompilerServices;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Pooling;

/// <summary>Windows side by side in a line of outputs that see as many places each.</summary>
/// <remarks>
/// Pooling moves far more than it computes, so what counts is how few instructions lie between two vectors. A line of outputs falls into the windows inside
/// the image, nearly all of them, which are done in one loop without a test, and one by one those that hang over an edge. Windows that see 2×2 or 3×3 places have loops of their own,
/// unrolled by the JIT.
/// </remarks>
internal readonly unsafe struct PooledWindows
{
    private PooledWindows(int rows, int columns, int count) => (Rows, Columns, Count) = (rows, columns, count);

    /// <summary>Rows that each sees.</summary>
    public readonly int Rows;

    /// <summary>Columns that each sees.</summary>
    public readonly int Columns;

    /// <summary>Windows.</summary>
    public readonly int Count;

    /// <summary>Where the first place of the first window is, in floats from its plane.</summary>
    public nint First { get; private init; }

    /// <summary>Floats from a row to the next within a window.</summary>
    public nint Line { get; private init; }

    /// <summary>Floats from a place to the next in its row.</summary>
    public nint Step { get; private init; }

    /// <summary>Floats from a window to the next.</summary>
    public nint Stride { get; private init; }

    /// <summary>The windows from output (<paramref name="oh"/>, <paramref name="ow"/>) on: as many as see whole lines of the kernel, or one.</summary>
    public static PooledWindows From(in PoolingArguments a, int oh, int ow)
    {
        (int khFirst, int khEnd) = PoolingArguments.Taps(a.Rows, oh, a.Height);
        (int kwFirst, int kwEnd) = PoolingArguments.Taps(a.Columns, ow, a.Width);
        int last = a.Width + a.Columns.Before - a.Columns.Extent;      // where the last window inside the image may begin
        bool inside = kwFirst == 0 && kwEnd == a.Columns.Kernel;
        int count = inside ? Math.Min(last / a.Columns.Stride, a.OutputWidth - 1) - ow + 1 : 1;
        return new PooledWindows(khEnd - khFirst, kwEnd - kwFirst, count)
        {
            First = (((nint)a.Rows.Source(oh, khFirst) * a.Width) + a.Columns.Source(ow, kwFirst)) * Stripes.Count,
            Line = (nint)a.Rows.Dilation * a.Width * Stripes.Count,
            Step = (nint)a.Columns.Dilation * Stripes.Count,
            Stride = (nint)a.Columns.Stride * Stripes.Count,
        };
    }

    /// <summary>Asks for what the next line of outputs sees below this window: the processor does not foresee so many lines at once, each a few KB long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Foresee(float* below, nint line, nint stride)
    {
        ProductTile.Prefetch(below);
        if (stride == Stripes.Count)
            return;
        ProductTile.Prefetch(below + Stripes.Count);
        ProductTile.Prefetch(below + line);
        ProductTile.Prefetch(below + line + Stripes.Count);
    }
}

/// <summary>y = the greatest x in the window; padding never wins. A window that sees nothing but padding gives 0.</summary>
internal readonly struct MaxPoolingForward : IKernel<PoolingArguments>
{
    public static unsafe void Run<TVector, TOps>(in PoolingArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int outputHeight = a.OutputHeight, outputWidth = a.OutputWidth;
        float* y = a.Y;
        for (int plane = 0; plane < a.Planes; plane++)
        {
            float* x = a.X + ((nint)plane * a.Height * a.Width * Stripes.Count);
            for (int oh = 0; oh < outputHeight; oh++)
            {
                for (int ow = 0; ow < outputWidth;)
                {
                    PooledWindows w = PooledWindows.From(in a, oh, ow);
                    if (w is { Rows: 2, Columns: 2 })
                        Greatest<TVector, TOps, N2>(x + w.First, y, in w);
                    else if (w is { Rows: 3, Columns: 3 })
                        Greatest<TVector, TOps, N3>(x + w.First, y, in w);
                    else
                        Greatest<TVector, TOps, N0>(x + w.First, y, in w);
                    ow += w.Count;
                    y += w.Count * Stripes.Count;
                }
            }
        }
    }

    /// <summary>TSize: rows and columns of the windows, if known; 0 if not.</summary>
    private static unsafe void Greatest<TVector, TOps, TSize>(float* x, float* y, in PooledWindows w)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
        where TSize : struct, IConstant
    {
        int count = w.Count, rows = w.Rows, columns = w.Columns;
        nint stride = w.Stride, line = w.Line, step = w.Step;
        for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
        {
            float* window = x + lane;
            for (int i = 0; i < count; i++, window += stride)
            {
                TVector most = TSize.Value > 0 || (rows > 0 && columns > 0) ? TOps.Load(window) : default;
                if (TSize.Value > 0)
                {
                    if (lane == 0)
                        PooledWindows.Foresee(window + (TSize.Value * line), line, stride);
                    most = TOps.Greater(TOps.Load(window + step), most);
                    if (TSize.Value > 2)
                        most = TOps.Greater(TOps.Load(window + (2 * step)), most);
                    float* from = window + line;
                    most = TOps.Greater(TOps.Load(from), most);
                    most = TOps.Greater(TOps.Load(from + step), most);
                    if (TSize.Value > 2)
                    {
                        most = TOps.Greater(TOps.Load(from + (2 * step)), most);
                        from += line;
                        most = TOps.Greater(TOps.Load(from), most);
                        most = TOps.Greater(TOps.Load(from + step), most);
                        most = TOps.Greater(TOps.Load(from + (2 * step)), most);
                    }
                }
                else
                {
                    for (int row = 0; row < rows; row++)
                    {
                        for (int column = 0; column < columns; column++)
                            most = TOps.Greater(TOps.Load(window + (row * line) + (column * step)), most);
                    }
                }

                TOps.Store(most, y + ((nint)i * Stripes.Count) + lane);
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
        bool disjoint = a.WindowsAreDisjoint, tile = a.WindowsTile;
        float* y = a.Y, dy = a.Dy;
        for (int plane = 0; plane < a.Planes; plane++)
        {
            nint at = (nint)plane * a.Height * a.Width * Stripes.Count;
            float* x = a.X + at, dx = a.Dx + at;
            int cleared = 0;
            for (int oh = 0; oh < outputHeight; oh++)
            {
                // Just before they are written: the lines are then in the first cache.
                if (!tile)
                    cleared = Clear(in a, dx, cleared, oh == outputHeight - 1 ? a.Height : a.Rows.Source(oh, a.Rows.Kernel - 1) + 1);
                for (int ow = 0; ow < outputWidth;)
                {
                    PooledWindows w = PooledWindows.From(in a, oh, ow);
                    if (w is { Rows: 2, Columns: 2 } && disjoint)
                        GiveBack<TVector, TOps, N2, N1>(x + w.First, y, dy, dx + w.First, in w);
                    else if (w is { Rows: 3, Columns: 3, Step: Stripes.Count, Stride: Stripes.Count })
                        GiveBack3<TVector, TOps, N1>(x + w.First, y, dy, dx + w.First, in w);
                    else if (w is { Rows: 3, Columns: 3, Step: Stripes.Count, Stride: 2 * Stripes.Count })
                        GiveBack3<TVector, TOps, N2>(x + w.First, y, dy, dx + w.First, in w);
                    else if (disjoint)
                        GiveBack<TVector, TOps, N0, N1>(x + w.First, y, dy, dx + w.First, in w);
                    else
                        GiveBack<TVector, TOps, N0, N0>(x + w.First, y, dy, dx + w.First, in w);
                    ow += w.Count;
                    y += w.Count * Stripes.Count;
                    dy += w.Count * Stripes.Count;
                }
            }
        }
    }

    /// <summary>Clears the lines up to one, and says up to which they are clear.</summary>
    private static unsafe int Clear(in PoolingArguments a, float* dx, int cleared, int end)
    {
        end = Math.Min(end, a.Height);
        if (end <= cleared)
            return cleared;
        int line = a.Width * Stripes.Count;
        new Span<float>(dx + ((nint)cleared * line), (end - cleared) * line).Clear();
        return end;
    }

    /// <summary>TSize: rows and columns of the windows, 2 or 0 for any. TDisjoint: 1 where no place lies in two windows, so that nothing need be added to.</summary>
    private static unsafe void GiveBack<TVector, TOps, TSize, TDisjoint>(float* x, float* y, float* dy, float* dx, in PooledWindows w)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
        where TSize : struct, IConstant
        where TDisjoint : struct, IConstant
    {
        int count = w.Count, rows = w.Rows, columns = w.Columns;
        nint stride = w.Stride, line = w.Line, step = w.Step;
        for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
        {
            nint window = lane;
            for (int i = 0; i < count; i++, window += stride)
            {
                TVector most = TOps.Load(y + ((nint)i * Stripes.Count) + lane), rest = TOps.Load(dy + ((nint)i * Stripes.Count) + lane);
                if (TSize.Value > 0)
                {
                    if (lane == 0)
                        PooledWindows.Foresee(x + window + (2 * line), line, stride);
                    TOps.Store(Given<TVector, TOps>(x + window, most, ref rest), dx + window);
                    TOps.Store(Given<TVector, TOps>(x + window + step, most, ref rest), dx + window + step);
                    TOps.Store(Given<TVector, TOps>(x + window + line, most, ref rest), dx + window + line);
                    TOps.Store(Given<TVector, TOps>(x + window + line + step, most, ref rest), dx + window + line + step);
                    continue;
                }

                for (int row = 0; row < rows; row++)
                {
                    for (int column = 0; column < columns; column++)
                    {
                        nint at = window + (row * line) + (column * step);
                        TVector given = Given<TVector, TOps>(x + at, most, ref rest);
                        TOps.Store(TDisjoint.Value > 0 ? given : TOps.Add(TOps.Load(dx + at), given), dx + at);
                    }
                }
            }
        }
    }

    /// <summary>Windows of 3×3, one or two pixels apart (TStride).</summary>
    /// <remarks>
    /// A column that the next window sees too stays in registers until the last has added to it: to load what was stored a moment ago would wait until
    /// the store has reached the cache (measured: three times as long in all).
    /// </remarks>
    private static unsafe void GiveBack3<TVector, TOps, TStride>(float* x, float* y, float* dy, float* dx, in PooledWindows w)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
        where TStride : struct, IConstant
    {
        const int step = Stripes.Count;
        int count = w.Count;
        nint line = w.Line;
        for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
        {
            float* x0 = x + lane, x1 = x0 + line, x2 = x1 + line, d0 = dx + lane, d1 = d0 + line, d2 = d1 + line;
            TVector a0 = TOps.Load(d0), a1 = TOps.Load(d1), a2 = TOps.Load(d2);
            TVector b0 = default, b1 = default, b2 = default;
            if (TStride.Value == 1)
                (b0, b1, b2) = (TOps.Load(d0 + step), TOps.Load(d1 + step), TOps.Load(d2 + step));
            for (int i = 0; i < count; i++)
            {
                TVector most = TOps.Load(y + ((nint)i * Stripes.Count) + lane), rest = TOps.Load(dy + ((nint)i * Stripes.Count) + lane);
                if (lane == 0)
                    PooledWindows.Foresee(x2 + line, line, TStride.Value * step);
                Line<TVector, TOps, TStride>(x0, d0, most, ref rest, ref a0, ref b0);
                Line<TVector, TOps, TStride>(x1, d1, most, ref rest, ref a1, ref b1);
                Line<TVector, TOps, TStride>(x2, d2, most, ref rest, ref a2, ref b2);
                x0 += TStride.Value * step;
                x1 += TStride.Value * step;
                x2 += TStride.Value * step;
                d0 += TStride.Value * step;
                d1 += TStride.Value * step;
                d2 += TStride.Value * step;
            }

            TOps.Store(a0, d0);
            TOps.Store(a1, d1);
            TOps.Store(a2, d2);
            if (TStride.Value == 1)
            {
                TOps.Store(b0, d0 + step);
                TOps.Store(b1, d1 + step);
                TOps.Store(b2, d2 + step);
            }
        }
    }

    /// <summary>Three places of a window's line. <paramref name="first"/> and, one pixel apart, <paramref name="second"/> are the sums of its first columns, then of the next window's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Line<TVector, TOps, TStride>(float* x, float* dx, TVector most, ref TVector rest, ref TVector first, ref TVector second)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
        where TStride : struct, IConstant
    {
        const int step = Stripes.Count;
        TOps.Store(TOps.Add(first, Given<TVector, TOps>(x, most, ref rest)), dx);
        TVector middle = TOps.Add(TStride.Value == 1 ? second : TOps.Load(dx + step), Given<TVector, TOps>(x + step, most, ref rest));
        TVector last = TOps.Add(TOps.Load(dx + (2 * step)), Given<TVector, TOps>(x + (2 * step), most, ref rest));
        if (TStride.Value == 1)
        {
            (first, second) = (middle, last);
        }
        else
        {
            TOps.Store(middle, dx + step);
            first = last;
        }
    }

    /// <summary>What a place gets: all that is left of the gradient, where it holds the maximum. That is not given again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe TVector Given<TVector, TOps>(float* x, TVector most, ref TVector rest)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector won = TOps.IsEqual(TOps.Load(x), most), given = TOps.And(won, rest);
        rest = TOps.AndNot(rest, won);
        return given;
    }
}
