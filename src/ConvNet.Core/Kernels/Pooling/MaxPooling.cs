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
                    else if (w is { Rows: 3, Columns: 3 } && !disjoint)
                        GiveBack<TVector, TOps, N3, N0>(x + w.First, y, dy, dx + w.First, in w);
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

    /// <summary>TSize: rows and columns of the windows, if known; 0 if not. TDisjoint: 1 where no place lies in two windows, so that nothing need be added to.</summary>
    private static unsafe void GiveBack<TVector, TOps, TSize, TDisjoint>(float* x, float* y, float* dy, float* dx, in PooledWindows w)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
        where TSize : struct, IConstant
        where TDisjoint : struct, IConstant
    {
        int count = w.Count, rows = w.Rows, columns = w.Columns;
        nint stride = w.Stride, line = w.Line, step = w.Step, difference = (nint)dx - (nint)x;
        for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
        {
            float* window = x + lane;
            for (int i = 0; i < count; i++, window += stride)
            {
                TVector most = TOps.Load(y + ((nint)i * Stripes.Count) + lane), rest = TOps.Load(dy + ((nint)i * Stripes.Count) + lane);
                if (TSize.Value > 0)
                {
                    rest = Place<TVector, TOps, TDisjoint>(window, difference, most, rest);
                    rest = Place<TVector, TOps, TDisjoint>(window + step, difference, most, rest);
                    if (TSize.Value > 2)
                        rest = Place<TVector, TOps, TDisjoint>(window + (2 * step), difference, most, rest);
                    float* at = window + line;
                    rest = Place<TVector, TOps, TDisjoint>(at, difference, most, rest);
                    rest = Place<TVector, TOps, TDisjoint>(at + step, difference, most, rest);
                    if (TSize.Value > 2)
                    {
                        rest = Place<TVector, TOps, TDisjoint>(at + (2 * step), difference, most, rest);
                        at += line;
                        rest = Place<TVector, TOps, TDisjoint>(at, difference, most, rest);
                        rest = Place<TVector, TOps, TDisjoint>(at + step, difference, most, rest);
                        rest = Place<TVector, TOps, TDisjoint>(at + (2 * step), difference, most, rest);
                    }
                }
                else
                {
                    for (int row = 0; row < rows; row++)
                    {
                        for (int column = 0; column < columns; column++)
                            rest = Place<TVector, TOps, TDisjoint>(window + (row * line) + (column * step), difference, most, rest);
                    }
                }
            }
        }
    }

    /// <summary>Gives what is left of the gradient to a place, where it holds the maximum. Returns what is left then: what was given is not given again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe TVector Place<TVector, TOps, TDisjoint>(float* x, nint toGradient, TVector most, TVector rest)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
        where TDisjoint : struct, IConstant
    {
        float* dx = (float*)((byte*)x + toGradient);
        TVector won = TOps.IsEqual(TOps.Load(x), most), given = TOps.Select(won, rest, default);
        TOps.Store(TDisjoint.Value > 0 ? given : TOps.Add(TOps.Load(dx), given), dx);
        return TOps.Select(won, default, rest);
    }
}
