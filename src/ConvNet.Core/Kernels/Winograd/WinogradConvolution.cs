using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Winograd;

/// <summary>A 3×3 convolution with a quarter of the multiplications, or a 5×5 one with little more than a third, over channel lanes: forward, gradient by input, gradient by weight.</summary>
/// <remarks>
/// <para>
/// Each 6×6 square of input pixels and each window are transformed; products of the transforms, summed over channels, are transformed back to 4×4 output pixels (2×2 for windows of 5×5)
/// (<see cref="WinogradTransforms{TVector, TOps}"/>). The sums over channels are 36 matrix products, which is where the time goes. The gradient by input is the same with the
/// window turned about. The gradient by weight is the adjoint: dw = Gᵀ [Σ over tiles of (A dy Aᵀ) ⊙ (Bᵀ x B)] G.
/// </para>
/// <para>
/// <b>Canonical order</b> of a product's element: over input channels (of the gradient by input: output channels) ascending in blocks of <see cref="SumBlocks.Terms"/>, each a
/// chain of fused multiply-adds from +0, the blocks added in order. Of a gradient by weight: over the tiles taken together, numbered by
/// sample, row, column, one chain; then the next ones are added. What lies outside the image is zeros. A tiling depends on the layer's shapes alone.
/// </para>
/// <para>Rounding is that of sums whose terms are up to a hundred times as large as the result's: about one decimal digit less than the direct sum.</para>
/// </remarks>
internal sealed unsafe class WinogradConvolution
{
    private const int ChannelRows = 8;

    /// <summary>Transformed weights of more floats are in no cache when they are multiplied.</summary>
    private const long LargeWeights = 1 << 20;

    private readonly ConvolutionGeometry _geometry;
    private readonly WinogradTiling _forward, _backward;

    /// <summary>Plans the passes of a convolution that <see cref="WinogradTiling.Suits"/>.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="samples">Samples of a micro-batch at most.</param>
    public WinogradConvolution(ConvolutionGeometry geometry, int samples)
    {
        _geometry = geometry;
        int window = geometry.Rows.Kernel;
        _forward = new WinogradTiling(geometry.Input, geometry.Output, geometry.Rows.Before, geometry.Columns.Before, window, samples);
        _backward = new WinogradTiling(geometry.Output, geometry.Input, window - 1 - geometry.Rows.Before, window - 1 - geometry.Columns.Before, window, samples);
    }

    /// <summary>The tilings of the forward pass and of the gradient by input.</summary>
    internal (WinogradTiling Forward, WinogradTiling Backward) Tilings => (_forward, _backward);

    /// <summary>Floats of scratch.</summary>
    public int ScratchLength => Math.Max(Length(_forward), Length(_backward));

    /// <summary>y from x.</summary>
    /// <param name="samples">Samples.</param>
    /// <param name="weights"><c>[OC, C, r, r]</c>.</param>
    /// <param name="x"><c>[N][C/16][H][W][16]</c>.</param>
    /// <param name="bias">OC floats, or null.</param>
    /// <param name="y"><c>[N][OC/16][OH][OW][16]</c>, overwritten.</param>
    /// <param name="rectify">Whether negative results become 0.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats, 64-byte aligned.</param>
    public void Forward(int samples, float* weights, float* x, float* bias, float* y, bool rectify, float* scratch)
    {
        if (bias != null)
        {
            // Filled up to whole vectors.
            var lanes = new Span<float>(scratch, _forward.DestinationGroups * Stripes.Count);
            lanes.Clear();
            new ReadOnlySpan<float>(bias, _geometry.OutChannels).CopyTo(lanes);
            bias = scratch;
        }

        Correlate(_forward, backward: false, samples, weights, x, bias, y, rectify, scratch + Lines(_forward));
    }

    /// <summary>dx from dy.</summary>
    public void InputGradient(int samples, float* weights, float* dy, float* dx, float* scratch) =>
        Correlate(_backward, backward: true, samples, weights, dy, null, dx, rectify: false, scratch + Lines(_backward));

    /// <summary>dw from x and dy.</summary>
    public void WeightGradient(int samples, float* x, float* dy, float* dw, float* scratch)
    {
        if (Vector512.IsHardwareAccelerated)
            WeightGradient<Vector512<float>, Ops512>(samples, x, dy, dw, scratch);
        else if (Vector256.IsHardwareAccelerated)
            WeightGradient<Vector256<float>, Ops256>(samples, x, dy, dw, scratch);
        else
            WeightGradient<Vector128<float>, Ops128>(samples, x, dy, dw, scratch);
    }

    private void Correlate(WinogradTiling t, bool backward, int samples, float* weights, float* x, float* bias, float* y, bool rectify, float* scratch)
    {
        if (Vector512.IsHardwareAccelerated)
            Correlate<Vector512<float>, Ops512>(t, backward, samples, weights, x, bias, y, rectify, scratch);
        else if (Vector256.IsHardwareAccelerated)
            Correlate<Vector256<float>, Ops256>(t, backward, samples, weights, x, bias, y, rectify, scratch);
        else
            Correlate<Vector128<float>, Ops128>(t, backward, samples, weights, x, bias, y, rectify, scratch);
    }

    /// <summary>One pass at one vector width; the bias is filled up to whole vectors.</summary>
    internal void Correlate<TVector, TOps>(WinogradTiling t, bool backward, int samples, float* weights, float* x, float* bias, float* y, bool rectify, float* scratch)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* u = scratch, v = u + ((nint)WinogradTiling.Places * t.WeightStep), m = v + PartOfSources(t);
        WinogradWeights<TVector, TOps>.Transform(_geometry, t, backward, weights, u, v);
        int tiles = samples * t.TilesOfSample;
        for (int first = 0; first < tiles; first += t.Together)
        {
            int count = Math.Min(t.Together, tiles - first);
            WinogradTiles<TVector, TOps>.Input(t, x, first, count, v);
            Multiply<TVector, TOps>(t, u, v, m, count);
            WinogradTiles<TVector, TOps>.Output(t, m, first, count, bias, rectify, y);
        }
    }

    /// <summary>m = v × u at each place.</summary>
    private static void Multiply<TVector, TOps>(WinogradTiling t, float* u, float* v, float* m, int count)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        const int GroupsOfBlock = SumBlocks.Terms / Stripes.Count;
        int sources = t.SourceGroups * Stripes.Count, rowTiles = (count + ProductTile.TallRows - 1) / ProductTile.TallRows, rows = (count + rowTiles - 1) / rowTiles;
        int columns = ProductTile.ColumnsFor(rows);
        Tap* taps = stackalloc Tap[GroupsOfBlock];
        for (int group = 0; group < GroupsOfBlock; group++)
            taps[group] = new Tap(group * t.Together * Stripes.Count, group * Stripes.Count * Stripes.Count);
        var p = new ProductOperands
        {
            ARow = Stripes.Count,
            AStep = 1,
            BColumn = (nint)sources * Stripes.Count,
            BStep = Stripes.Count,
            CRow = Stripes.Count,
            CColumn = (nint)t.Together * Stripes.Count,
            Depth = Stripes.Count,
            Taps = taps,
            AheadStep = Stripes.Count,
        };
        bool large = (long)WinogradTiling.Places * t.WeightStep > LargeWeights;
        for (int place = 0; place < WinogradTiling.Places; place++)
        {
            for (int block = 0; block < t.SourceGroups; block += GroupsOfBlock)
            {
                p.TapCount = Math.Min(GroupsOfBlock, t.SourceGroups - block);
                p.Accumulate = block > 0;
                float* a = v + ((nint)place * t.PlaceStep(t.SourceGroups)) + ((nint)block * t.Together * Stripes.Count);
                float* b = u + ((nint)place * t.WeightStep) + ((nint)block * Stripes.Count * Stripes.Count);
                for (int group = 0; group < t.DestinationGroups; group += columns)
                {
                    // Weights that no cache holds: the first two tiles of rows ask for the two columns of the next ones.
                    float* next = large && group + columns < t.DestinationGroups ? b + ((group + columns) * p.BColumn) : null;
                    p.B = b + (group * p.BColumn);
                    for (int row = 0; row < count; row += rows)
                    {
                        p.Ahead = next == null || row > rows ? null : next + (row == 0 ? 0 : p.BColumn);
                        p.A = a + ((nint)row * Stripes.Count);
                        p.C = m + ((nint)place * t.PlaceStep(t.DestinationGroups)) + ((((nint)group * t.Together) + row) * Stripes.Count);
                        ProductTile<TVector, TOps>.Run(Math.Min(rows, count - row), Math.Min(columns, t.DestinationGroups - group), in p);
                    }
                }
            }
        }
    }

    /// <summary>The gradient by weight at one vector width.</summary>
    internal void WeightGradient<TVector, TOps>(int samples, float* x, float* dy, float* dw, float* scratch)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        WinogradTiling t = _forward;
        float* du = scratch + Lines(t), v = du + ((nint)WinogradTiling.Places * t.WeightStep), dm = v + PartOfSources(t);
        int tiles = samples * t.TilesOfSample, sources = t.SourceGroups * Stripes.Count;
        Tap whole = default;
        var p = new ProductOperands
        {
            ARow = 1,
            AStep = Stripes.Count,
            BColumn = (nint)t.Together * Stripes.Count,
            BStep = Stripes.Count,
            CRow = Stripes.Count,
            CColumn = (nint)sources * Stripes.Count,
            Taps = &whole,
            TapCount = 1,
        };
        int columns = ProductTile.ColumnsFor(ChannelRows);
        for (int first = 0; first < tiles; first += t.Together)
        {
            p.Depth = Math.Min(t.Together, tiles - first);
            p.Accumulate = first > 0;
            p.Uncached = WinogradWeights<TVector, TOps>.WritesUncached(t) && tiles <= t.Together;
            WinogradTiles<TVector, TOps>.Input(t, x, first, p.Depth, v);
            WinogradTiles<TVector, TOps>.OutputGradient(t, dy, first, p.Depth, dm);
            for (int place = 0; place < WinogradTiling.Places; place++)
            {
                for (int group = 0; group < t.DestinationGroups; group += columns)
                {
                    p.B = dm + ((nint)place * t.PlaceStep(t.DestinationGroups)) + (group * p.BColumn);
                    for (int source = 0; source < sources; source += ChannelRows)
                    {
                        p.A = v + ((nint)place * t.PlaceStep(t.SourceGroups)) + ((nint)source / Stripes.Count * t.Together * Stripes.Count) + (source % Stripes.Count);
                        p.C = du + ((nint)place * t.WeightStep) + ((((nint)group * sources) + source) * Stripes.Count);
                        ProductTile<TVector, TOps>.Run(ChannelRows, Math.Min(columns, t.DestinationGroups - group), in p);
                    }
                }
            }
        }

        WinogradWeights<TVector, TOps>.Gradient(_geometry, t, du, dw, v);
    }

    private static int Lines(WinogradTiling t) => t.DestinationGroups * Stripes.Count;

    private static int PartOfSources(WinogradTiling t) => Math.Max(WinogradTiling.Places * t.PlaceStep(t.SourceGroups), WinogradWeights<Vector128<float>, Ops128>.PanelLength(t));

    private static int Length(WinogradTiling t) =>
        checked(Lines(t) + (WinogradTiling.Places * t.WeightStep) + PartOfSources(t) + (WinogradTiling.Places * t.PlaceStep(t.DestinationGroups)));
}
