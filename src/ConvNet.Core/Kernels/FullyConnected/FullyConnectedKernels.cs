using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.FullyConnected;

/// <summary>Forward and both backward passes of a fully connected layer, over sample lanes.</summary>
/// <remarks>
/// x <c>[block][I][16]</c>, w <c>[O, I]</c> as the world writes it, y <c>[block][O][16]</c>. No pass copies or packs the weights: a row of w is a run of
/// broadcasts forward, a column of w is 12 neighbouring broadcasts backward, and the blocks of 16 samples are the columns.
/// <b>Canonical order</b>: forward sums over inputs ascending in blocks of <see cref="SumBlocks.Terms"/>, then the bias; the gradient by input over outputs
/// ascending in such blocks; the gradient by weight over samples ascending in one chain.
/// <b>Memory</b>: the weights of large layers (AlexNet's first has 151 MB) pass the caches once a pass, and that takes as long as the arithmetic. So each pass says
/// long before what it will read, see <see cref="ProductOperands.Ahead"/>: forward the next rows; backward the next columns, and of a single block of samples a few rows at a time,
/// see <see cref="StreamedInputGradient{TVector, TOps}"/>, because 256 rows are more streams than a processor foresees.
/// </remarks>
internal static unsafe class FullyConnectedKernels
{
    /// <summary>How far ahead of a column of the weights the gradient by input fetches, in floats.</summary>
    private const int LinesAhead = 64;

    /// <summary>Inputs whose weights are used together forward: 12 sums' blocks, two for each of the 6 next rows to fetch. 192 KB of inputs stay in the second-level cache.</summary>
    private const int InputsTogether = 2 * ProductTile.WideRows * SumBlocks.Terms;

    /// <summary>Weights of as many floats and more do not stay in the caches. Their gradients are written around them: by the time they are read they would not be there any more.</summary>
    private const long LargeFrom = 1 << 20;

    /// <summary>y = w·x + b, then max(0, ·) if <paramref name="rectify"/>.</summary>
    public static void Forward(float* x, float* w, float* bias, float* y, int inputs, int outputs, int blocks, bool rectify)
    {
        if (Vector512.IsHardwareAccelerated)
            Forward<Vector512<float>, Ops512>(x, w, bias, y, inputs, outputs, blocks, rectify);
        else if (Vector256.IsHardwareAccelerated)
            Forward<Vector256<float>, Ops256>(x, w, bias, y, inputs, outputs, blocks, rectify);
        else
            Forward<Vector128<float>, Ops128>(x, w, bias, y, inputs, outputs, blocks, rectify);
    }

    /// <summary>The same at one vector width.</summary>
    internal static void Forward<TVector, TOps>(float* x, float* w, float* bias, float* y, int inputs, int outputs, int blocks, bool rectify)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        var p = new ProductOperands
        {
            ARow = inputs,
            AStep = 1,
            BColumn = (nint)inputs * Stripes.Count,
            BStep = Stripes.Count,
            CRow = Stripes.Count,
            CColumn = (nint)outputs * Stripes.Count,
        };
        Tap whole = default;
        p.Taps = &whole;
        p.TapCount = 1;
        // 6 rows, not 12: rows of a power of two of inputs lie in one set of the first cache, which holds 8 lines.
        const int together = ProductTile.WideRows;
        bool large = (long)inputs * outputs >= LargeFrom;
        int span = large ? InputsTogether : inputs;
        for (int first = 0; first < inputs; first += span)
        {
            int end = Math.Min(first + span, inputs);
            for (int row = 0; row < outputs; row += together)
            {
                int rows = Math.Min(together, outputs - row), tileColumns = ProductTile.ColumnsFor(rows);
                for (int term = first, part = 0; term < end; term += SumBlocks.Terms, part++)
                {
                    p.Depth = Math.Min(SumBlocks.Terms, inputs - term);
                    p.Accumulate = term > 0;
                    bool last = term + p.Depth == inputs;
                    p.Rectify = rectify && last;
                    p.A = w + ((nint)row * inputs) + term;
                    p.Bias = bias == null || !last ? null : bias + row;

                    // Half of one of the next rows is fetched at the pace at which this part of these rows is used.
                    bool fetch = large && row + (2 * together) <= outputs && end - first == InputsTogether;
                    float* next = w + ((nint)(row + together + (part / 2)) * inputs) + first + (part % 2 * InputsTogether / 2);
                    for (int column = 0; column < blocks; column += tileColumns)
                    {
                        p.Ahead = fetch && column == 0 ? next : null;
                        p.AheadStep = together;
                        p.B = x + (column * p.BColumn) + (term * p.BStep);
                        p.C = y + (column * p.CColumn) + (row * p.CRow);
                        ProductTile<TVector, TOps>.Run(rows, Math.Min(tileColumns, blocks - column), in p);
                    }
                }
            }
        }
    }

    /// <summary>dx = wᵀ·dy.</summary>
    public static void InputGradient(float* dy, float* w, float* dx, int inputs, int outputs, int blocks)
    {
        if (Vector512.IsHardwareAccelerated)
            InputGradient<Vector512<float>, Ops512>(dy, w, dx, inputs, outputs, blocks);
        else if (Vector256.IsHardwareAccelerated)
            InputGradient<Vector256<float>, Ops256>(dy, w, dx, inputs, outputs, blocks);
        else
            InputGradient<Vector128<float>, Ops128>(dy, w, dx, inputs, outputs, blocks);
    }

    /// <summary>The same at one vector width.</summary>
    internal static void InputGradient<TVector, TOps>(float* dy, float* w, float* dx, int inputs, int outputs, int blocks)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        if (blocks == 1 && (long)inputs * outputs >= LargeFrom)
        {
            StreamedInputGradient<TVector, TOps>.Run(dy, w, dx, inputs, outputs);
            return;
        }

        var p = new ProductOperands
        {
            ARow = 1,
            AStep = inputs,
            BColumn = (nint)outputs * Stripes.Count,
            BStep = Stripes.Count,
            CRow = Stripes.Count,
            CColumn = (nint)inputs * Stripes.Count,
            AheadStep = inputs,
        };
        Tap whole = default;
        p.Taps = &whole;
        p.TapCount = 1;
        for (int term = 0; term < outputs; term += SumBlocks.Terms)
        {
            p.Depth = Math.Min(SumBlocks.Terms, outputs - term);
            p.Accumulate = term > 0;
            for (int row = 0; row < inputs; row += ProductTile.TallRows)
            {
                int rows = Math.Min(ProductTile.TallRows, inputs - row), tileColumns = ProductTile.ColumnsFor(rows);
                p.A = w + row + ((nint)term * inputs);
                for (int column = 0; column < blocks; column += tileColumns)
                {
                    p.Ahead = column == 0 && inputs - row > LinesAhead ? p.A + LinesAhead : null;
                    p.B = dy + (column * p.BColumn) + (term * p.BStep);
                    p.C = dx + (column * p.CColumn) + (row * p.CRow);
                    ProductTile<TVector, TOps>.Run(rows, Math.Min(tileColumns, blocks - column), in p);
                }
            }
        }
    }

    /// <summary>dw = dy·xᵀ over all samples.</summary>
    /// <param name="x"><c>[block][I][16]</c>.</param>
    /// <param name="dy"><c>[block][O][16]</c>; zero in lanes without a sample, where there are several blocks.</param>
    /// <param name="dw"><c>[O, I]</c>, overwritten.</param>
    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <param name="samples">Samples. Lanes without one take part in the sum, as zeros, only where there are several blocks.</param>
    /// <param name="scratch"><see cref="WeightGradientScratch"/> floats, 64-byte aligned.</param>
    public static void WeightGradient(float* x, float* dy, float* dw, int inputs, int outputs, int samples, float* scratch)
    {
        if (Vector512.IsHardwareAccelerated)
            WeightGradient<Vector512<float>, Ops512>(x, dy, dw, inputs, outputs, samples, scratch);
        else if (Vector256.IsHardwareAccelerated)
            WeightGradient<Vector256<float>, Ops256>(x, dy, dw, inputs, outputs, samples, scratch);
        else
            WeightGradient<Vector128<float>, Ops128>(x, dy, dw, inputs, outputs, samples, scratch);
    }

    /// <summary>The same at one vector width.</summary>
    internal static void WeightGradient<TVector, TOps>(float* x, float* dy, float* dw, int inputs, int outputs, int samples, float* scratch)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int width = RoundUp(inputs), blocks = RoundUp(samples) / Stripes.Count;
        float* edge = scratch;
        float* transposed = scratch + (ProductTile.TallRows * Stripes.Count);
        for (int block = 0; block < blocks; block++)
        {
            Transpose16.Rows(x + ((nint)block * inputs * Stripes.Count), inputs,
                transposed + ((nint)block * Stripes.Count * width), width);
        }

        // One tap a block of samples, 16 terms each: one chain over all samples.
        Tap* taps = stackalloc Tap[blocks];
        for (int block = 0; block < blocks; block++)
            taps[block] = new Tap(block * outputs * Stripes.Count, block * Stripes.Count * width);
        var p = new ProductOperands
        {
            ARow = Stripes.Count,
            AStep = 1,
            BColumn = Stripes.Count,
            BStep = width,
            CRow = inputs,
            CColumn = Stripes.Count,
            Depth = Math.Min(samples, Stripes.Count),
            Taps = taps,
            TapCount = blocks,
            Uncached = (long)inputs * outputs >= LargeFrom && inputs % Stripes.Count == 0 && (nuint)dw % (Stripes.Count * sizeof(float)) == 0,
        };
        int whole = inputs / Stripes.Count;
        for (int row = 0; row < outputs; row += ProductTile.TallRows)
        {
            int rows = Math.Min(ProductTile.TallRows, outputs - row);
            int tileColumns = ProductTile.ColumnsFor(rows);
            p.A = dy + ((nint)row * Stripes.Count);
            for (int column = 0; column < whole; column += tileColumns)
            {
                p.B = transposed + (column * Stripes.Count);
                p.C = dw + ((nint)row * inputs) + (column * Stripes.Count);
                ProductTile<TVector, TOps>.Run(rows, Math.Min(tileColumns, whole - column), in p);
            }

            int rest = inputs - (whole * Stripes.Count);
            if (rest == 0)
                continue;
            ProductOperands last = p;
            last.B = transposed + (whole * Stripes.Count);
            last.C = edge;
            last.CRow = Stripes.Count;
            ProductTile<TVector, TOps>.Run(rows, 1, in last);
            for (int r = 0; r < rows; r++)
                new Span<float>(edge + (r * Stripes.Count), rest).CopyTo(new Span<float>(dw + ((nint)(row + r) * inputs) + (whole * Stripes.Count), rest));
        }

        if (p.Uncached)
            Widest.Fence();
    }

    /// <summary>Floats of scratch that <see cref="WeightGradient"/> needs.</summary>
    public static int WeightGradientScratch(int inputs, int blocks) =>
        (ProductTile.TallRows * Stripes.Count) + (blocks * Stripes.Count * RoundUp(inputs));

    private static int RoundUp(int value) => (value + Stripes.Count - 1) / Stripes.Count * Stripes.Count;
}
