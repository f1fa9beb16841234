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
/// </remarks>
internal static unsafe class FullyConnectedKernels
{
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
            CColumn = (nint)outputs * Stripes.Count,
        };
        Sum<TVector, TOps>(w, x, y, bias, outputs, inputs, blocks, rectify, p);
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
        var p = new ProductOperands
        {
            ARow = 1,
            AStep = inputs,
            BColumn = (nint)outputs * Stripes.Count,
            BStep = Stripes.Count,
            CColumn = (nint)inputs * Stripes.Count,
        };
        Sum<TVector, TOps>(w, dy, dx, null, inputs, outputs, blocks, false, p);
    }

    /// <summary>dw = dy·xᵀ over all samples.</summary>
    /// <param name="x"><c>[block][I][16]</c>.</param>
    /// <param name="dy"><c>[block][O][16]</c>; zero in lanes without a sample.</param>
    /// <param name="dw"><c>[O, I]</c>, overwritten.</param>
    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <param name="blocks">Blocks of 16 samples.</param>
    /// <param name="scratch"><see cref="WeightGradientScratch"/> floats, 64-byte aligned.</param>
    public static void WeightGradient(float* x, float* dy, float* dw, int inputs, int outputs, int blocks, float* scratch)
    {
        if (Vector512.IsHardwareAccelerated)
            WeightGradient<Vector512<float>, Ops512>(x, dy, dw, inputs, outputs, blocks, scratch);
        else if (Vector256.IsHardwareAccelerated)
            WeightGradient<Vector256<float>, Ops256>(x, dy, dw, inputs, outputs, blocks, scratch);
        else
            WeightGradient<Vector128<float>, Ops128>(x, dy, dw, inputs, outputs, blocks, scratch);
    }

    /// <summary>The same at one vector width.</summary>
    internal static void WeightGradient<TVector, TOps>(float* x, float* dy, float* dw, int inputs, int outputs, int blocks, float* scratch)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int width = RoundUp(inputs);
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
            Depth = Stripes.Count,
            Taps = taps,
            TapCount = blocks,
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
    }

    /// <summary>Floats of scratch that <see cref="WeightGradient"/> needs.</summary>
    public static int WeightGradientScratch(int inputs, int blocks) =>
        (ProductTile.TallRows * Stripes.Count) + (blocks * Stripes.Count * RoundUp(inputs));

    private static void Sum<TVector, TOps>(float* w, float* from, float* to, float* bias, int rowsInAll, int terms, int blocks, bool rectify, ProductOperands p)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        Tap whole = default;
        p.Taps = &whole;
        p.TapCount = 1;
        p.CRow = Stripes.Count;
        for (int term = 0; term < terms; term += SumBlocks.Terms)
        {
            p.Depth = Math.Min(SumBlocks.Terms, terms - term);
            p.Accumulate = term > 0;
            bool last = term + p.Depth == terms;
            p.Rectify = rectify && last;
            for (int row = 0; row < rowsInAll; row += ProductTile.TallRows)
            {
                int rows = Math.Min(ProductTile.TallRows, rowsInAll - row);
                int tileColumns = ProductTile.ColumnsFor(rows);
                p.A = w + (row * p.ARow) + (term * p.AStep);
                p.Bias = bias == null || !last ? null : bias + row;
                for (int column = 0; column < blocks; column += tileColumns)
                {
                    p.B = from + (column * p.BColumn) + (term * p.BStep);
                    p.C = to + (column * p.CColumn) + (row * p.CRow);
                    ProductTile<TVector, TOps>.Run(rows, Math.Min(tileColumns, blocks - column), in p);
                }
            }
        }
    }

    private static int RoundUp(int value) => (value + Stripes.Count - 1) / Stripes.Count * Stripes.Count;
}
