using System.Runtime.Intrinsics;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Convolutions;

/// <summary>The gradient of a convolution by its weights, over sample lanes: <c>dw[oc, c, kh, kw] = Σ over samples and pixels of dy × x</c>.</summary>
/// <remarks>
/// <para>
/// Every weight is a dot product of two images of 16 samples a pixel, so the sum is striped over the sample lanes by nature. A tile of
/// 4 output channels × 6 taps (of one kernel row) keeps 24 such sums in registers while it runs over all pixels.
/// </para>
/// <para>
/// <b>Canonical order</b> of an element: stripe s sums sample s of each block by fused multiply-adds from +0, over blocks ascending, output rows
/// ascending (rows at which the tap lies outside the image are left out), output columns ascending (columns outside count as zero); then the
/// 16 stripes are folded by <see cref="Stripes.Fold"/>. Lanes without a sample hold zeros in dy.
/// </para>
/// </remarks>
internal sealed unsafe class WeightGradient
{
    private readonly ConvolutionGeometry _geometry;
    // The part of dy that all tiles run over before the next part is taken up: small enough to stay in the second-level cache.
    private const int DyTogether = 256 * 1024 / sizeof(float);

    private readonly Tile[] _tiles;
    private readonly int _rowsTogether;

    /// <summary>Plans the gradient by weight of a convolution.</summary>
    public WeightGradient(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        _tiles = [.. Tiles(geometry)];
        _rowsTogether = Math.Max(1, DyTogether / (geometry.Output.Pixels * Stripes.Count * WeightGradientOperands.MostRows)) * WeightGradientOperands.MostRows;
    }

    /// <summary>Floats of scratch for one tile's stripes.</summary>
    public static int ScratchLength => WeightGradientOperands.MostRows * WeightGradientOperands.MostTaps * Stripes.Count;

    /// <summary>Computes dw.</summary>
    /// <param name="x"><c>[block][C][H][W][16]</c>.</param>
    /// <param name="dy"><c>[block][OC][OH][OW][16]</c>.</param>
    /// <param name="dw"><c>[OC, C/groups, KH, KW]</c>, overwritten.</param>
    /// <param name="blocks">Blocks of 16 samples.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats, 64-byte aligned.</param>
    public void Run(float* x, float* dy, float* dw, int blocks, float* scratch)
    {
        if (Vector512.IsHardwareAccelerated)
            Run<Vector512<float>, Ops512>(x, dy, dw, blocks, scratch);
        else if (Vector256.IsHardwareAccelerated)
            Run<Vector256<float>, Ops256>(x, dy, dw, blocks, scratch);
        else
            Run<Vector128<float>, Ops128>(x, dy, dw, blocks, scratch);
    }

    /// <summary>The same at one vector width.</summary>
    internal void Run<TVector, TOps>(float* x, float* dy, float* dw, int blocks, float* scratch)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        Shape input = _geometry.Input, output = _geometry.Output;
        int groupOutputs = _geometry.GroupOutputs, groupInputs = _geometry.GroupInputs;
        var p = new WeightGradientOperands
        {
            DyChannel = (nint)output.Pixels * Stripes.Count,
            DyLine = (nint)output.Width * Stripes.Count,
            DyBlock = (nint)output.Elements * Stripes.Count,
            XPixel = (nint)_geometry.Columns.Stride * Stripes.Count,
            XLine = (nint)_geometry.Rows.Stride * input.Width * Stripes.Count,
            XBlock = (nint)input.Elements * Stripes.Count,
            Blocks = blocks,
            Pixels = output.Width,
            Stripes = scratch,
        };
        for (int group = 0; group < _geometry.Groups; group++)
        {
            float* groupX = x + ((nint)group * groupInputs * input.Pixels * Stripes.Count);
            for (int first = 0; first < groupOutputs; first += _rowsTogether)
            {
                int end = Math.Min(first + _rowsTogether, groupOutputs);
                foreach (Tile tile in _tiles)
                {
                    Describe(tile, groupX, ref p);
                    for (int row = first; row < end; row += WeightGradientOperands.MostRows)
                    {
                        int rows = Math.Min(WeightGradientOperands.MostRows, end - row);
                        nint channel = ((nint)group * groupOutputs) + row;
                        p.Dy = dy + (channel * p.DyChannel) + (tile.FirstLine * p.DyLine);
                        WeightGradientTile<TVector, TOps>.Run(rows, tile.Taps.Length, in p);
                        Fold(rows, tile.Taps, scratch, dw + (channel * groupInputs * _geometry.Taps));
                    }
                }
            }
        }
    }

    /// <summary>A tile's stripes to its weights; sums that the tile does not have are folded along and dropped.</summary>
    private void Fold(int rows, TapPlace[] taps, float* stripes, float* dw)
    {
        float* sums = stackalloc float[WeightGradientOperands.MostRows * WeightGradientOperands.MostTaps];
        for (int i = 0; i < rows * WeightGradientOperands.MostTaps; i += 4)
            Stripes.Fold4(stripes + (i * Stripes.Count), sums + i);
        for (int r = 0; r < rows; r++, sums += WeightGradientOperands.MostTaps, dw += _geometry.GroupInputs * _geometry.Taps)
        {
            for (int t = 0; t < taps.Length; t++)
                dw[taps[t].Weight] = sums[t];
        }
    }

    private static void Describe(Tile tile, float* x, ref WeightGradientOperands p)
    {
        p.X = x + tile.FirstSource;
        p.Lines = tile.Lines;
        (p.InsideFirst, p.InsideEnd) = (0, p.Pixels);
        for (int t = 0; t < tile.Taps.Length; t++)
        {
            TapPlace tap = tile.Taps[t];
            (p.TapOffset[t], p.TapFirst[t], p.TapEnd[t]) = (tap.Offset, tap.First, tap.End);
            p.InsideFirst = Math.Max(p.InsideFirst, tap.First);
            p.InsideEnd = Math.Min(p.InsideEnd, tap.End);
        }
    }

    /// <summary>Cuts each kernel row's (channel, kernel column) pairs into tiles of at most six.</summary>
    private static IEnumerable<Tile> Tiles(ConvolutionGeometry g)
    {
        for (int kh = 0; kh < g.Rows.Kernel; kh++)
        {
            (int first, int end) = g.Rows.InsideOf(kh, g.Input.Height, g.Output.Height);
            int source = g.Rows.Source(first, kh) * g.Input.Width * Stripes.Count;
            var places = new List<TapPlace>();
            for (int c = 0; c < g.GroupInputs; c++)
            {
                for (int kw = 0; kw < g.Columns.Kernel; kw++)
                {
                    (int from, int to) = g.Columns.InsideOf(kw, g.Input.Width, g.Output.Width);
                    int offset = ((c * g.Input.Pixels) + g.Columns.Source(0, kw)) * Stripes.Count;
                    places.Add(new TapPlace((((c * g.Rows.Kernel) + kh) * g.Columns.Kernel) + kw, offset, from, to));
                }
            }

            // Whole kernel rows where they fit (5 of a 5×5, 2 × 3 of a 3×3), so that taps of a tile are neighbours.
            int width = g.Columns.Kernel <= WeightGradientOperands.MostTaps
                ? WeightGradientOperands.MostTaps / g.Columns.Kernel * g.Columns.Kernel
                : WeightGradientOperands.MostTaps;
            foreach (TapPlace[] taps in places.Chunk(width))
                yield return new Tile(taps, first, end - first, source);
        }
    }

    /// <summary>A place of the window: its weight within an output channel, what it reads at output column 0, and the output columns at which that is inside.</summary>
    private readonly record struct TapPlace(int Weight, int Offset, int First, int End);

    private sealed record Tile(TapPlace[] Taps, int FirstLine, int Lines, int FirstSource);
}
