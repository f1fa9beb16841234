using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Convolutions;

/// <summary>The sum under both a convolution's forward pass and its gradient by input, over sample lanes.</summary>
/// <remarks>
/// <para>
/// Activations are <c>[block][C][H][W][16]</c>: 16 samples side by side in the innermost place (see <c>SampleLanes</c>). So a vector is one
/// pixel of 16 samples, a weight is one broadcast, and any number of channels, down to 1, uses all lanes.
/// </para>
/// <para>
/// It is a matrix product that reads its columns in place: rows are output channels, columns are neighbouring pixels of one output row, and the
/// terms are taps × channels. Nothing is unfolded (no im2col) and nothing is padded: the <see cref="AxisPlan"/> lists the taps of each run of pixels.
/// </para>
/// <para>
/// <b>Canonical order</b> of an output element: blocks of <see cref="SumBlocks.Channels"/> input channels ascending; in a block kernel rows ascending,
/// kernel columns ascending, channels ascending, taps outside the image left out; then the bias. The gradient by input sums over the output
/// channels in the same way.
/// </para>
/// </remarks>
internal sealed unsafe class Correlation
{
    private readonly bool _backward;
    private readonly ConvolutionGeometry _geometry;
    private readonly AxisRun[] _rows, _columns;
    private readonly Shape _source, _destination;
    private readonly int _groupSources, _groupDestinations, _blockChannels, _tileRows, _mostTaps;
    private readonly bool _alongColumns;

    private Correlation(ConvolutionGeometry geometry, bool backward)
    {
        (_geometry, _backward) = (geometry, backward);
        (_source, _destination) = backward ? (geometry.Output, geometry.Input) : (geometry.Input, geometry.Output);
        (_groupSources, _groupDestinations) = backward ? (geometry.GroupOutputs, geometry.GroupInputs) : (geometry.GroupInputs, geometry.GroupOutputs);
        _rows = backward ? AxisPlan.Backward(geometry.Rows, geometry.Input.Height) : AxisPlan.Forward(geometry.Rows, geometry.Input.Height);
        _columns = backward ? AxisPlan.Backward(geometry.Columns, geometry.Input.Width) : AxisPlan.Forward(geometry.Columns, geometry.Input.Width);
        _blockChannels = Math.Min(_groupSources, SumBlocks.Channels(geometry.Taps));
        _tileRows = TileRows(_groupDestinations);
        // With a single source channel the inner loop would have one term; then it runs along the kernel's columns instead, which is the same order.
        _alongColumns = _groupSources == 1;
        _mostTaps = geometry.Taps;
    }

    /// <summary>y from x. Packs w <c>[OC, C/groups, KH, KW]</c> as its scalars.</summary>
    public static Correlation Forward(ConvolutionGeometry geometry) => new(geometry, backward: false);

    /// <summary>dx from dy, with the same weights read crosswise.</summary>
    public static Correlation InputGradient(ConvolutionGeometry geometry) => new(geometry, backward: true);

    /// <summary>Floats of the packed weights.</summary>
    public int PackedLength => _geometry.Groups * _groupSources * _geometry.Taps * RoundUp(_groupDestinations, _tileRows);

    /// <summary>Writes the weights in the order in which tiles read them: group, block, tile of rows, tap, channel, row.</summary>
    /// <param name="weights"><c>[OC, C/groups, KH, KW]</c>.</param>
    /// <param name="packed"><see cref="PackedLength"/> floats.</param>
    public void Pack(float* weights, float* packed)
    {
        int taps = _geometry.Taps;
        // Strides of w by destination channel and source channel of the pass.
        int byDestination = _backward ? taps : _geometry.GroupInputs * taps;
        int bySource = _backward ? _geometry.GroupInputs * taps : taps;
        for (int group = 0; group < _geometry.Groups; group++)
        {
            float* groupWeights = weights + ((nint)group * _geometry.GroupOutputs * _geometry.GroupInputs * taps);
            for (int block = 0; block < _groupSources; block += _blockChannels)
            {
                int depth = Math.Min(_blockChannels, _groupSources - block);
                for (int row = 0; row < _groupDestinations; row += _tileRows)
                {
                    int rows = Math.Min(_tileRows, _groupDestinations - row);
                    for (int tap = 0; tap < taps; tap++)
                    {
                        for (int c = 0; c < depth; c++)
                        {
                            float* from = groupWeights + ((nint)(block + c) * bySource) + ((nint)row * byDestination) + tap;
                            for (int r = 0; r < rows; r++)
                                packed[r] = from[(nint)r * byDestination];
                            packed += _tileRows;
                        }
                    }
                }
            }
        }
    }

    /// <summary>Computes one block of 16 samples.</summary>
    /// <param name="packed">From <see cref="Pack"/>.</param>
    /// <param name="source"><c>[C][H][W][16]</c> of the pass's source.</param>
    /// <param name="bias">One number for each destination channel, or null.</param>
    /// <param name="destination"><c>[C][H][W][16]</c>, overwritten.</param>
    /// <param name="rectify">Whether negative results become 0.</param>
    public void Run(float* packed, float* source, float* bias, float* destination, bool rectify)
    {
        if (Vector512.IsHardwareAccelerated)
            Run<Vector512<float>, Ops512>(packed, source, bias, destination, rectify);
        else if (Vector256.IsHardwareAccelerated)
            Run<Vector256<float>, Ops256>(packed, source, bias, destination, rectify);
        else
            Run<Vector128<float>, Ops128>(packed, source, bias, destination, rectify);
    }

    /// <summary>The same at one vector width.</summary>
    internal void Run<TVector, TOps>(float* packed, float* source, float* bias, float* destination, bool rectify)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        Tap* taps = stackalloc Tap[_mostTaps];
        int tileColumns = ProductTile.ColumnsFor(_tileRows);
        for (int group = 0; group < _geometry.Groups; group++)
        {
            float* groupSource = source + ((nint)group * _groupSources * _source.Pixels * Stripes.Count);
            nint groupChannel = (nint)group * _groupDestinations;
            for (int block = 0; block < _groupSources; block += _blockChannels)
            {
                int depth = Math.Min(_blockChannels, _groupSources - block);
                bool last = block + depth == _groupSources;
                var p = new ProductOperands
                {
                    ARow = 1,
                    AStep = _tileRows,
                    B = groupSource + ((nint)block * _source.Pixels * Stripes.Count),
                    BStep = (nint)_source.Pixels * Stripes.Count,
                    CRow = (nint)_destination.Pixels * Stripes.Count,
                    Depth = depth,
                    Taps = taps,
                    Accumulate = block > 0,
                    Rectify = rectify && last,
                };
                foreach (AxisRun rowRun in _rows)
                {
                    for (int i = 0; i < rowRun.Count; i++)
                    {
                        int y = rowRun.First + (i * rowRun.Step);
                        foreach (AxisRun run in _columns)
                        {
                            ListTaps(rowRun, i, run, depth, ref p);
                            p.BColumn = (nint)run.SourceStep * Stripes.Count;
                            p.CColumn = (nint)run.Step * Stripes.Count;
                            float* panel = packed;
                            for (int row = 0; row < _groupDestinations; row += _tileRows)
                            {
                                int rows = Math.Min(_tileRows, _groupDestinations - row);
                                nint channel = groupChannel + row;
                                p.A = panel;
                                p.Bias = bias == null || !last ? null : bias + channel;
                                float* line = destination + (((channel * _destination.Height) + y) * _destination.Width * Stripes.Count);
                                RunColumns<TVector, TOps>(rows, tileColumns, run, line, p);
                                panel += (nint)_geometry.Taps * depth * _tileRows;
                            }
                        }
                    }
                }

                packed += (nint)_geometry.Taps * depth * RoundUp(_groupDestinations, _tileRows);
            }
        }
    }

    private static void RunColumns<TVector, TOps>(int rows, int tileColumns, AxisRun run, float* line, ProductOperands p)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* b = p.B;
        for (int x = 0; x < run.Count; x += tileColumns)
        {
            p.B = b + (x * p.BColumn);
            p.C = line + ((run.First + (x * run.Step)) * Stripes.Count);
            ProductTile<TVector, TOps>.Run(rows, Math.Min(tileColumns, run.Count - x), in p);
        }
    }

    /// <summary>The taps of one output row and one run of columns, in canonical order.</summary>
    private void ListTaps(AxisRun rowRun, int i, AxisRun run, int depth, ref ProductOperands p)
    {
        int panelStep = depth * _tileRows, kernelColumns = _geometry.Columns.Kernel, count = 0;
        foreach (AxisTap row in rowRun.Taps)
        {
            int line = (row.Source + (i * rowRun.SourceStep)) * _source.Width;
            if (_alongColumns && run.Taps.Length > 1)
            {
                AxisTap first = run.Taps[0];
                p.Taps[count++] = new Tap(((row.K * kernelColumns) + first.K) * panelStep, (line + first.Source) * Stripes.Count);
                continue;
            }

            foreach (AxisTap column in run.Taps)
                p.Taps[count++] = new Tap(((row.K * kernelColumns) + column.K) * panelStep, (line + column.Source) * Stripes.Count);
        }

        p.TapCount = count;
        if (_alongColumns && run.Taps.Length > 1)
        {
            // Taps of one run lie at even distances, in the kernel and in the image.
            p.Depth = run.Taps.Length;
            p.AStep = (nint)(run.Taps[1].K - run.Taps[0].K) * panelStep;
            p.BStep = (nint)(run.Taps[1].Source - run.Taps[0].Source) * Stripes.Count;
        }
        else
        {
            p.Depth = depth;
            p.AStep = _tileRows;
            p.BStep = (nint)_source.Pixels * Stripes.Count;
        }
    }

    /// <summary>Rows of a tile: as few tiles as can be, as even as can be.</summary>
    private static int TileRows(int rows)
    {
        int tiles = (rows + ProductTile.TallRows - 1) / ProductTile.TallRows;
        return (rows + tiles - 1) / tiles;
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
}
