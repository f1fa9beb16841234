using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>The gradient of a convolution by its weights, over channel lanes: <c>dw[oc, c, kh, kw] = Σ over samples and pixels of dy × x</c>.</summary>
/// <remarks>
/// <para>
/// For one tap it is a matrix product whose terms are pixels: rows are input channels, each a broadcast, columns are 16 output channels. Nothing is folded
/// across lanes. The result is summed as <c>[OC/16][tap][C][16]</c> and then turned.
/// </para>
/// <para>
/// <b>Canonical order</b> of an element: pixels are cut into blocks, whole samples or rows of one, of about <see cref="Terms"/>; a block is one chain of fused
/// multiply-adds from +0 over samples, rows, columns ascending, pixels at which the tap lies outside the image left out; the blocks are added in order.
/// Where there are many weights a block is longer, because each block reads and writes them all.
/// </para>
/// </remarks>
internal sealed unsafe class ChannelWeightGradient
{
    private const int Terms = 256, MoreTerms = 1024, ManyWeights = 128 * 1024;

    // Rows of a tile: of 16 channels two times 8; of pixels, whose channels and kernel columns lie side by side, as many as there are.
    private const int ChannelRows = 8;

    private readonly ConvolutionGeometry _geometry;
    private readonly bool _pixels;
    private readonly int _sources, _groups, _pitch, _panel, _unitsTogether, _rowsTogether;
    private readonly nint _xPlane, _xUnit, _dyPlane, _dyUnit;

    /// <summary>Plans the gradient by weight of a convolution without groups.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="pixels">x is <c>[N][H][W][C]</c> with its padding around it.</param>
    public ChannelWeightGradient(ConvolutionGeometry geometry, bool pixels)
    {
        (_geometry, _pixels) = (geometry, pixels);
        Shape x = geometry.Input, y = geometry.Output;
        _pitch = pixels ? x.Channels : Stripes.Count;
        _sources = pixels ? x.Channels : Extent.Groups(x.Channels) * Stripes.Count;
        _groups = Extent.Groups(geometry.OutChannels);
        _panel = ChannelWeights.Panel(geometry.Taps, _sources);
        _xPlane = (nint)x.Pixels * _pitch;
        _xUnit = pixels ? _xPlane : _xPlane * (_sources / Stripes.Count);
        _dyPlane = (nint)y.Pixels * Stripes.Count;
        _dyUnit = _dyPlane * _groups;
        (_unitsTogether, _rowsTogether) = Block(geometry);
    }

    /// <summary>The pixels of a block: samples, and rows of each.</summary>
    public static (int Samples, int Rows) Block(ConvolutionGeometry geometry)
    {
        int terms = geometry.Weights > ManyWeights ? MoreTerms : Terms;
        return (Math.Max(1, terms / geometry.Output.Pixels), Math.Clamp(terms / geometry.Output.Width, 1, geometry.Output.Height));
    }

    /// <summary>Floats of scratch.</summary>
    public int ScratchLength => _groups * _panel;

    /// <summary>Computes dw.</summary>
    /// <param name="samples">Samples, at least 1.</param>
    /// <param name="x">The convolution's input.</param>
    /// <param name="dy"><c>[N][OC/16][OH][OW][16]</c>.</param>
    /// <param name="dw"><c>[OC, C, KH, KW]</c>, overwritten.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats, 64-byte aligned.</param>
    public void Run(int samples, float* x, float* dy, float* dw, float* scratch)
    {
        if (Vector512.IsHardwareAccelerated)
            Run<Vector512<float>, Ops512>(samples, x, dy, dw, scratch);
        else if (Vector256.IsHardwareAccelerated)
            Run<Vector256<float>, Ops256>(samples, x, dy, dw, scratch);
        else
            Run<Vector128<float>, Ops128>(samples, x, dy, dw, scratch);
    }

    /// <summary>The same at one vector width.</summary>
    internal void Run<TVector, TOps>(int samples, float* x, float* dy, float* dw, float* scratch)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int height = _geometry.Output.Height;
        bool first = true;
        Tap* taps = stackalloc Tap[_unitsTogether * _rowsTogether];
        for (int sample = 0; sample < samples; sample += _unitsTogether)
        {
            int units = Math.Min(_unitsTogether, samples - sample);
            for (int row = 0; row < height; row += _rowsTogether, first = false)
            {
                for (int kh = 0; kh < _geometry.Rows.Kernel; kh++)
                {
                    if (_pixels)
                        AddTap<TVector, TOps>(units, row, kh, 0, x + (sample * _xUnit), dy + (sample * _dyUnit), scratch, taps, first);
                    for (int kw = 0; kw < _geometry.Columns.Kernel && !_pixels; kw++)
                        AddTap<TVector, TOps>(units, row, kh, kw, x + (sample * _xUnit), dy + (sample * _dyUnit), scratch, taps, first);
                }
            }
        }

        ChannelWeights.Unpack(_geometry, _sources, scratch, dw);
    }

    /// <summary>One block of pixels of one tap; of pixels all taps of a kernel row at once.</summary>
    private void AddTap<TVector, TOps>(int units, int firstRow, int kh, int kw, float* x, float* dy, float* sums, Tap* taps, bool overwrite)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        (Shape input, Shape output) = (_geometry.Input, _geometry.Output);
        (int rowFirst, int rowEnd) = _geometry.Rows.InsideOf(kh, input.Height, output.Height);
        (int columnFirst, int columnEnd) = _geometry.Columns.InsideOf(kw, input.Width, output.Width);
        rowFirst = Math.Max(rowFirst, firstRow);
        rowEnd = Math.Min(rowEnd, firstRow + _rowsTogether);
        int count = 0;
        for (int unit = 0; unit < units && columnFirst < columnEnd; unit++)
        {
            for (int row = rowFirst; row < rowEnd; row++)
            {
                nint a = (unit * _xUnit) + ((((nint)_geometry.Rows.Source(row, kh) * input.Width) + _geometry.Columns.Source(columnFirst, kw)) * _pitch);
                taps[count++] = new Tap((int)a, (int)((unit * _dyUnit) + (((row * output.Width) + columnFirst) * Stripes.Count)));
            }
        }

        if (count == 0 && !overwrite)
            return;
        var p = new ProductOperands
        {
            ARow = 1,
            AStep = (nint)_geometry.Columns.Stride * _pitch,
            BColumn = _dyPlane,
            BStep = Stripes.Count,
            CRow = Stripes.Count,
            CColumn = _panel,
            Depth = columnEnd - columnFirst,
            Taps = taps,
            TapCount = count,
            Accumulate = !overwrite,
        };
        int rowsInAll = _pixels ? _sources * _geometry.Columns.Kernel : _sources;
        int tiles = (rowsInAll + ProductTile.TallRows - 1) / ProductTile.TallRows;
        int tile = _pixels ? (rowsInAll + tiles - 1) / tiles : ChannelRows;
        float* c = sums + ((((nint)kh * _geometry.Columns.Kernel) + kw) * _sources * Stripes.Count);
        int together = ProductTile.ColumnsFor(tile);
        for (int group = 0; group < _groups; group += together)
        {
            int columns = Math.Min(together, _groups - group);
            p.B = dy + (group * _dyPlane);
            for (int r = 0; r < rowsInAll; r += tile)
            {
                p.A = _pixels ? x + r : x + (r / Stripes.Count * _xPlane) + (r % Stripes.Count);
                p.C = c + ((nint)group * _panel) + (r * Stripes.Count);
                ProductTile<TVector, TOps>.Run(Math.Min(tile, rowsInAll - r), columns, in p);
            }
        }
    }
}
