using System.Runtime.CompilerServices;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Winograd;

/// <summary>Tiles of images over channel lanes to their transforms and back. Each goes along the rows first, then along the columns.</summary>
internal static unsafe class WinogradTiles<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    private const int Square = WinogradTiling.Square, Row = Square * Stripes.Count;

    /// <summary>Bᵀ d B of each tile's 6×6 pixels; pixels outside the image are zeros.</summary>
    /// <param name="t">The tiling.</param>
    /// <param name="x"><c>[N][C/16][H][W][16]</c>.</param>
    /// <param name="first">The first tile.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="v"><c>[36][C/16][tiles][16]</c>, overwritten.</param>
    public static void Input(WinogradTiling t, float* x, int first, int count, float* v)
    {
        float* square = stackalloc float[Square * Row];
        (Shape source, nint step) = (t.Source, t.PlaceStep(t.SourceGroups));
        nint plane = (nint)source.Pixels * Stripes.Count, line = (nint)source.Width * Stripes.Count;
        for (int group = 0; group < t.SourceGroups; group++)
        {
            for (int i = 0; i < count; i++)
            {
                (int sample, int tile) = Math.DivRem(first + i, t.TilesOfSample);
                (int tileRow, int tileColumn) = Math.DivRem(tile, t.Columns);
                int top = (tileRow * t.Tile) - t.Top, left = (tileColumn * t.Tile) - t.Left;
                float* from = x + ((((nint)sample * t.SourceGroups) + group) * plane) + (top * line) + ((nint)left * Stripes.Count);
                float* to = v + ((((nint)group * t.Together) + i) * Stripes.Count);
                bool whole = left >= 0 && left + Square <= source.Width;
                for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                {
                    for (int row = 0; row < Square; row++)
                    {
                        float* p = from + (row * line) + lane, s = square + (row * Row) + lane;
                        if (top + row < 0 || top + row >= source.Height)
                            WinogradTransforms<TVector, TOps>.Input(default, default, default, default, default, default, s, Stripes.Count);
                        else if (whole)
                            WinogradTransforms<TVector, TOps>.Input(At(p, 0), At(p, 1), At(p, 2), At(p, 3), At(p, 4), At(p, 5), s, Stripes.Count);
                        else
                        {
                            WinogradTransforms<TVector, TOps>.Input(
                                At(p, 0, left, source.Width), At(p, 1, left, source.Width), At(p, 2, left, source.Width),
                                At(p, 3, left, source.Width), At(p, 4, left, source.Width), At(p, 5, left, source.Width), s, Stripes.Count);
                        }
                    }

                    for (int column = 0; column < Square; column++)
                    {
                        float* s = square + (column * Stripes.Count) + lane;
                        WinogradTransforms<TVector, TOps>.Input(
                            TOps.Load(s), TOps.Load(s + Row), TOps.Load(s + (2 * Row)), TOps.Load(s + (3 * Row)), TOps.Load(s + (4 * Row)), TOps.Load(s + (5 * Row)),
                            to + (column * step) + lane, Square * step);
                    }
                }
            }
        }
    }

    /// <summary>Aᵀ m A to each tile's pixels, plus bias, rectified if wanted; pixels outside the image are dropped.</summary>
    /// <param name="t">The tiling.</param>
    /// <param name="m"><c>[36][OC/16][tiles][16]</c>.</param>
    /// <param name="first">The first tile.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="bias">16 numbers for each group, or null.</param>
    /// <param name="rectify">Whether negative results become 0.</param>
    /// <param name="y"><c>[N][OC/16][OH][OW][16]</c>.</param>
    public static void Output(WinogradTiling t, float* m, int first, int count, float* bias, bool rectify, float* y)
    {
        const int Half = WinogradTiling.MostTile * Stripes.Count;
        float* square = stackalloc float[Square * Half];
        bool four = t.Tile == WinogradTiling.MostTile;
        (Shape destination, nint step) = (t.Destination, t.PlaceStep(t.DestinationGroups));
        nint plane = (nint)destination.Pixels * Stripes.Count, line = (nint)destination.Width * Stripes.Count;
        for (int group = 0; group < t.DestinationGroups; group++)
        {
            for (int i = 0; i < count; i++)
            {
                (int sample, int tile) = Math.DivRem(first + i, t.TilesOfSample);
                (int tileRow, int tileColumn) = Math.DivRem(tile, t.Columns);
                int rows = Math.Min(t.Tile, destination.Height - (tileRow * t.Tile)), columns = Math.Min(t.Tile, destination.Width - (tileColumn * t.Tile));
                float* from = m + ((((nint)group * t.Together) + i) * Stripes.Count);
                float* to = y + ((((nint)sample * t.DestinationGroups) + group) * plane) + (tileRow * t.Tile * line) + ((nint)tileColumn * t.Tile * Stripes.Count);
                for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                {
                    for (int row = 0; row < Square; row++)
                    {
                        float* p = from + (row * Square * step) + lane, s = square + (row * Half) + lane;
                        Output(p, step, four, out TVector y0, out TVector y1, out TVector y2, out TVector y3);
                        TOps.Store(y0, s);
                        TOps.Store(y1, s + Stripes.Count);
                        if (!four)
                            continue;
                        TOps.Store(y2, s + (2 * Stripes.Count));
                        TOps.Store(y3, s + (3 * Stripes.Count));
                    }

                    TVector b = bias == null ? default : TOps.Load(bias + (group * Stripes.Count) + lane);
                    for (int column = 0; column < columns; column++)
                    {
                        float* s = square + (column * Stripes.Count) + lane, p = to + (column * Stripes.Count) + lane;
                        Output(s, Half, four, out TVector y0, out TVector y1, out TVector y2, out TVector y3);
                        Finish(y0, b, bias != null, rectify, p);
                        if (rows > 1)
                            Finish(y1, b, bias != null, rectify, p + line);
                        if (rows > 2)
                            Finish(y2, b, bias != null, rectify, p + (2 * line));
                        if (rows > 3)
                            Finish(y3, b, bias != null, rectify, p + (3 * line));
                    }
                }
            }
        }
    }

    /// <summary>A dy Aᵀ of each tile's pixels; pixels outside the image are zeros.</summary>
    /// <param name="t">The tiling.</param>
    /// <param name="dy"><c>[N][OC/16][OH][OW][16]</c>.</param>
    /// <param name="first">The first tile.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="dm"><c>[36][OC/16][tiles][16]</c>, overwritten.</param>
    public static void OutputGradient(WinogradTiling t, float* dy, int first, int count, float* dm)
    {
        float* square = stackalloc float[WinogradTiling.MostTile * Row];
        bool four = t.Tile == WinogradTiling.MostTile;
        (Shape destination, nint step) = (t.Destination, t.PlaceStep(t.DestinationGroups));
        nint plane = (nint)destination.Pixels * Stripes.Count, line = (nint)destination.Width * Stripes.Count;
        for (int group = 0; group < t.DestinationGroups; group++)
        {
            for (int i = 0; i < count; i++)
            {
                (int sample, int tile) = Math.DivRem(first + i, t.TilesOfSample);
                (int tileRow, int tileColumn) = Math.DivRem(tile, t.Columns);
                int rows = Math.Min(t.Tile, destination.Height - (tileRow * t.Tile)), columns = Math.Min(t.Tile, destination.Width - (tileColumn * t.Tile));
                float* from = dy + ((((nint)sample * t.DestinationGroups) + group) * plane) + (tileRow * t.Tile * line) + ((nint)tileColumn * t.Tile * Stripes.Count);
                float* to = dm + ((((nint)group * t.Together) + i) * Stripes.Count);
                for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                {
                    for (int row = 0; row < t.Tile; row++)
                    {
                        float* p = from + (row * line) + lane, s = square + (row * Row) + lane;
                        TVector y0 = default, y1 = default, y2 = default, y3 = default;
                        if (row < rows)
                            (y0, y1, y2, y3) = (At(p, 0), At(p, 1, 0, columns), At(p, 2, 0, columns), At(p, 3, 0, columns));
                        if (four)
                            WinogradTransforms<TVector, TOps>.OutputGradient(y0, y1, y2, y3, s, Stripes.Count);
                        else
                            WinogradTransforms<TVector, TOps>.OutputGradient(y0, y1, s, Stripes.Count);
                    }

                    for (int column = 0; column < Square; column++)
                    {
                        float* s = square + (column * Stripes.Count) + lane;
                        float* d = to + (column * step) + lane;
                        if (four)
                            WinogradTransforms<TVector, TOps>.OutputGradient(TOps.Load(s), TOps.Load(s + Row), TOps.Load(s + (2 * Row)), TOps.Load(s + (3 * Row)), d, Square * step);
                        else
                            WinogradTransforms<TVector, TOps>.OutputGradient(TOps.Load(s), TOps.Load(s + Row), d, Square * step);
                    }
                }
            }
        }
    }

    /// <summary>The outputs of a line of six sums: four, or the first two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Output(float* m, nint step, bool four, out TVector y0, out TVector y1, out TVector y2, out TVector y3)
    {
        TVector m0 = TOps.Load(m), m1 = TOps.Load(m + step), m2 = TOps.Load(m + (2 * step)), m3 = TOps.Load(m + (3 * step)), m4 = TOps.Load(m + (4 * step)), m5 = TOps.Load(m + (5 * step));
        (y2, y3) = (default, default);
        if (four)
            WinogradTransforms<TVector, TOps>.Output(m0, m1, m2, m3, m4, m5, out y0, out y1, out y2, out y3);
        else
            WinogradTransforms<TVector, TOps>.Output(m0, m1, m2, m3, m4, m5, out y0, out y1);
    }

    private static TVector At(float* p, int column) => TOps.Load(p + (column * Stripes.Count));

    private static TVector At(float* p, int column, int left, int width) =>
        left + column >= 0 && left + column < width ? TOps.Load(p + (column * Stripes.Count)) : default;

    private static void Finish(TVector y, TVector bias, bool biased, bool rectify, float* to)
    {
        if (biased)
            y = TOps.Add(y, bias);
        TOps.Store(rectify ? TOps.Rectify(y) : y, to);
    }
}
