using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>The sum under both a convolution's forward pass and its gradient by input, over channel lanes.</summary>
/// <remarks>
/// <para>
/// Activations are <c>[N][C/16][H][W][16]</c>: 16 channels side by side, so any number of samples, down to 1, uses all lanes. A weight vector holds
/// 16 destination channels, a source number is one broadcast.
/// </para>
/// <para>
/// It is a matrix product that reads its rows in place: rows are pixels in one line, columns are groups of 16 destination channels, and the terms are
/// taps × source channels. Nothing is unfolded and nothing is padded: pixels that see the same taps form rectangles, of which an image has
/// nine at most for a stride of 1 (the inside, four edges, four corners); a tile runs along the longer side.
/// </para>
/// <para>
/// <b>Canonical order</b> of a destination element: that of <see cref="Correlation"/>, so both layouts give the same bits forward: blocks of
/// <see cref="SumBlocks.Channels"/> source channels ascending; in a block kernel rows, kernel columns, channels ascending, taps outside the image left out; then the bias.
/// </para>
/// </remarks>
internal sealed unsafe class ChannelCorrelation
{
    // Source and destination of the pixels that are taken together through all channels: they stay in the second-level cache.
    private const int Together = 384 * 1024 / sizeof(float);

    // Columns of 16 destination channels whose weights are used for all those pixels before the next ones.
    private const int ColumnsTogether = 4;

    private readonly ConvolutionGeometry _geometry;
    private readonly bool _backward, _pixels;
    private readonly Shape _source, _destination;
    private readonly int _sources, _blockSources, _groups, _panel, _pitch;
    private readonly int _unitsTogether, _rowsTogether;
    private readonly nint _sourceUnit, _sourcePlane, _destinationUnit, _destinationPlane;
    private readonly Region[] _regions;

    private ChannelCorrelation(ConvolutionGeometry geometry, bool backward, bool pixels)
    {
        (_geometry, _backward, _pixels) = (geometry, backward, pixels);
        (_source, _destination) = backward ? (geometry.Output, geometry.Input) : (geometry.Input, geometry.Output);
        _pitch = pixels ? _source.Channels : Stripes.Count;
        _sources = pixels ? _source.Channels : Extent.Groups(_source.Channels) * Stripes.Count;
        _blockSources = Math.Min(_sources, SumBlocks.Channels(geometry.Taps));
        _groups = Extent.Groups(_destination.Channels);
        _panel = ChannelWeights.Panel(geometry.Taps, _sources);
        _sourcePlane = (nint)_source.Pixels * _pitch;
        _sourceUnit = pixels ? _sourcePlane : _sourcePlane * (_sources / Stripes.Count);
        _destinationPlane = (nint)_destination.Pixels * Stripes.Count;
        _destinationUnit = _destinationPlane * _groups;
        nint unit = _destinationUnit + _sourceUnit;
        _unitsTogether = (int)Math.Max(1, Together / unit);
        _rowsTogether = (int)Math.Clamp(Together / Math.Max(1, unit / _destination.Height), 1, _destination.Height);
        AxisRun[] rows = backward ? AxisPlan.Backward(geometry.Rows, geometry.Input.Height) : AxisPlan.Forward(geometry.Rows, geometry.Input.Height);
        AxisRun[] columns = backward ? AxisPlan.Backward(geometry.Columns, geometry.Input.Width) : AxisPlan.Forward(geometry.Columns, geometry.Input.Width);
        _regions = [.. rows.SelectMany(row => columns.Select(column => Describe(row, column)))];
    }

    /// <summary>y from x over channel lanes.</summary>
    public static ChannelCorrelation Forward(ConvolutionGeometry geometry) => new(geometry, backward: false, pixels: false);

    /// <summary>y over channel lanes from x <c>[N][H][W][C]</c>, which has its padding around it and few channels.</summary>
    public static ChannelCorrelation OfPixels(ConvolutionGeometry geometry) => new(geometry, backward: false, pixels: true);

    /// <summary>dx from dy, with the same weights read crosswise.</summary>
    public static ChannelCorrelation InputGradient(ConvolutionGeometry geometry) => new(geometry, backward: true, pixels: false);

    /// <summary>Floats of the packed weights and the bias behind them.</summary>
    public int PackedLength => (_groups * _panel) + (_groups * Stripes.Count);

    /// <summary>Packs <c>[OC, C, KH, KW]</c>.</summary>
    public void Pack(float* weights, float* packed) => ChannelWeights.Pack(_geometry, _backward, _sources, _blockSources, weights, packed);

    /// <summary>Computes all samples.</summary>
    /// <param name="samples">Samples.</param>
    /// <param name="packed">From <see cref="Pack"/>; the place behind is used for the bias.</param>
    /// <param name="source">The pass's source.</param>
    /// <param name="bias">One number for each destination channel, or null.</param>
    /// <param name="destination">Overwritten.</param>
    /// <param name="rectify">Whether negative results become 0.</param>
    public void Run(int samples, float* packed, float* source, float* bias, float* destination, bool rectify)
    {
        if (bias != null)
        {
            // Filled up to whole vectors.
            var lanes = new Span<float>(packed + ((nint)_groups * _panel), _groups * Stripes.Count);
            lanes.Clear();
            new ReadOnlySpan<float>(bias, _destination.Channels).CopyTo(lanes);
            bias = packed + ((nint)_groups * _panel);
        }

        if (Vector512.IsHardwareAccelerated)
            Run<Vector512<float>, Ops512>(samples, packed, source, bias, destination, rectify);
        else if (Vector256.IsHardwareAccelerated)
            Run<Vector256<float>, Ops256>(samples, packed, source, bias, destination, rectify);
        else
            Run<Vector128<float>, Ops128>(samples, packed, source, bias, destination, rectify);
    }

    /// <summary>The same at one vector width; the bias is filled up to whole vectors.</summary>
    internal void Run<TVector, TOps>(int samples, float* packed, float* source, float* bias, float* destination, bool rectify)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int sample = 0; sample < samples; sample += _unitsTogether)
        {
            int units = Math.Min(_unitsTogether, samples - sample);
            for (int row = 0; row < _destination.Height; row += _rowsTogether)
            {
                RunTogether<TVector, TOps>(units, row, Math.Min(row + _rowsTogether, _destination.Height), packed,
                    source + (sample * _sourceUnit), bias, destination + (sample * _destinationUnit), rectify);
            }
        }
    }

    /// <summary>Some rows of some samples, through all source blocks.</summary>
    private void RunTogether<TVector, TOps>(int units, int firstRow, int endRow, float* packed, float* source, float* bias, float* destination, bool rectify)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int block = 0; block < _sources; block += _blockSources)
        {
            int depth = Math.Min(_blockSources, _sources - block);
            bool last = block + depth == _sources, whole = depth == _blockSources;
            var p = new ProductOperands
            {
                AStep = 1,
                BColumn = _panel,
                BStep = Stripes.Count,
                CColumn = _destinationPlane,
                Accumulate = block > 0,
                Rectify = rectify && last,
            };
            float* from = source + (_pixels ? 0 : block / Stripes.Count * _sourcePlane);
            float* weights = packed + ((nint)block * _geometry.Taps * Stripes.Count);
            for (int group = 0; group < _groups; group += ColumnsTogether)
            {
                int columns = Math.Min(ColumnsTogether, _groups - group);
                p.B = weights + ((nint)group * _panel);
                p.LaneBias = bias == null || !last ? null : bias + (group * Stripes.Count);
                foreach (Region region in _regions)
                {
                    Tap[] taps = whole ? region.Taps : region.LastTaps;
                    fixed (Tap* list = taps)
                    {
                        p.Taps = list;
                        p.TapCount = taps.Length;
                        p.Depth = _pixels ? region.PixelDepth : Stripes.Count;
                        Run<TVector, TOps>(region, units, firstRow, endRow, columns, from, destination + (group * _destinationPlane), p);
                    }
                }
            }
        }
    }

    /// <summary>A region's pixels within some rows, for some columns.</summary>
    private void Run<TVector, TOps>(Region region, int units, int firstRow, int endRow, int columns, float* source, float* destination, ProductOperands p)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int first = Math.Max(0, (firstRow - region.Row + region.RowStep - 1) / region.RowStep);
        int end = Math.Min(region.Rows, (endRow - region.Row + region.RowStep - 1) / region.RowStep);
        if (first >= end)
            return;
        nint sourceRow = (nint)region.SourceRowStep * _source.Width * _pitch, sourceColumn = (nint)region.SourceColumnStep * _pitch;
        nint row = (nint)region.RowStep * _destination.Width * Stripes.Count, column = (nint)region.ColumnStep * Stripes.Count;
        source += first * sourceRow;
        destination += (((nint)region.Row * _destination.Width) + region.Column) * Stripes.Count + (first * row);
        (int lines, int length) = (end - first, region.Columns);
        nint sourceLine = sourceRow, line = row;
        (p.ARow, p.CRow) = (sourceColumn, column);
        if (length < ProductTile.WideRows && lines > length)
        {
            (lines, length) = (length, lines);
            (sourceLine, line, p.ARow, p.CRow) = (sourceColumn, column, sourceRow, row);
        }

        int tiles = (length + ProductTile.TallRows - 1) / ProductTile.TallRows, tile = (length + tiles - 1) / tiles;
        int together = ProductTile.ColumnsFor(tile);
        float* weights = p.B, bias = p.LaneBias;
        for (int c = 0; c < columns; c += together)
        {
            int count = Math.Min(together, columns - c);
            p.B = weights + ((nint)c * _panel);
            p.LaneBias = bias == null ? null : bias + (c * Stripes.Count);
            for (int unit = 0; unit < units; unit++)
            {
                for (int l = 0; l < lines; l++)
                {
                    float* a = source + (unit * _sourceUnit) + (l * sourceLine);
                    float* y = destination + (unit * _destinationUnit) + (c * _destinationPlane) + (l * line);
                    for (int i = 0; i < length; i += tile)
                    {
                        p.A = a + (i * p.ARow);
                        p.C = y + (i * p.CRow);
                        ProductTile<TVector, TOps>.Run(Math.Min(tile, length - i), count, in p);
                    }
                }
            }
        }
    }

    private Region Describe(AxisRun rows, AxisRun columns)
    {
        int depth = _pixels ? columns.Taps.Length * _source.Channels : 0, rest = _sources % _blockSources;
        Tap[] taps = Taps(rows, columns, _blockSources);
        return new Region(rows.First, rows.Step, rows.Count, columns.First, columns.Step, columns.Count, rows.SourceStep, columns.SourceStep, depth,
            taps, rest == 0 ? taps : Taps(rows, columns, rest));
    }

    /// <summary>The taps of a region for a block of source channels, in canonical order, 16 channels each; of pixels all channels of a kernel row, which lie side by side.</summary>
    private Tap[] Taps(AxisRun rows, AxisRun columns, int depth)
    {
        var taps = new List<Tap>();
        foreach (AxisTap row in rows.Taps)
        {
            int kernelRow = row.K * _geometry.Columns.Kernel;
            foreach (AxisTap column in columns.Taps)
            {
                int at = checked(((row.Source * _source.Width) + column.Source) * _pitch), weight = (kernelRow + column.K) * depth;
                if (_pixels)
                {
                    taps.Add(new Tap(at, weight * Stripes.Count));
                    break;
                }

                for (int channel = 0; channel < depth; channel += Stripes.Count)
                    taps.Add(new Tap(checked((int)(at + (channel / Stripes.Count * _sourcePlane))), (weight + channel) * Stripes.Count));
            }
        }

        return [.. taps];
    }

    /// <summary>A rectangle of destination pixels that see the same taps: where it starts, its steps and counts; the steps of what it reads; its taps for whole blocks and for the last.</summary>
    private sealed record Region(
        int Row, int RowStep, int Rows, int Column, int ColumnStep, int Columns, int SourceRowStep, int SourceColumnStep, int PixelDepth, Tap[] Taps, Tap[] LastTaps);
}
