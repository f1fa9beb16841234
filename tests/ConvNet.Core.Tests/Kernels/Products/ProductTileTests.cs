using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.Products;

public sealed unsafe class ProductTileTests
{
    private static readonly int[] Depths = [0, 1, 2, 3, 7, 16, 17, 255, 256, 257];

    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_tile_gives_the_bits_of_the_specification(int width)
    {
        foreach (int depth in Depths)
        {
            for (int rows = 1; rows <= ProductTile.TallRows; rows++)
            {
                for (int columns = 1; columns <= ProductTile.ColumnsFor(rows); columns++)
                    Check(width, rows, columns, depth, taps: 1, accumulate: depth % 2 == 1, bias: rows % 2 == 1, rectify: columns % 2 == 1);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Taps_are_summed_in_the_order_given(int width)
    {
        foreach (int taps in (int[])[0, 2, 9])
        {
            for (int rows = 1; rows <= ProductTile.TallRows; rows++)
            {
                for (int columns = 1; columns <= ProductTile.ColumnsFor(rows); columns++)
                    Check(width, rows, columns, depth: 5, taps, accumulate: false, bias: false, rectify: false);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Accumulate_bias_and_rectify_work_in_every_combination(int width)
    {
        for (int flags = 0; flags < 8; flags++)
        {
            for (int rows = 1; rows <= ProductTile.TallRows; rows++)
                Check(width, rows, 2, depth: 3, taps: 2, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Nan_gets_through_a_rectified_tile(int width)
    {
        using var a = new AlignedBuffer(1);
        using var b = new AlignedBuffer(Stripes.Count);
        using var c = new AlignedBuffer(Stripes.Count);
        a.Span[0] = 1;
        b.Span[3] = float.NaN;
        Tap whole = default;
        var p = new ProductOperands { A = a.Pointer, B = b.Pointer, C = c.Pointer, Depth = 1, Taps = &whole, TapCount = 1, Rectify = true };

        Run(width, 1, 1, in p);

        Assert.True(float.IsNaN(c.Span[3]));
        Assert.Equal(0, c.Span[2]);
    }

    private static void Check(int width, int rows, int columns, int depth, int taps, bool accumulate, bool bias, bool rectify)
    {
        // Steps with gaps, so that a tile that mixes two of them up is found out.
        const int gap = 3 * Stripes.Count;
        int aRow = depth + 2, aTap = 13 * aRow, bStep = (4 * Stripes.Count) + gap, bTap = 7 * Stripes.Count;
        using AlignedBuffer a = Numbers.Uniform((aTap * Math.Max(1, taps)) + 1, seed: 1);
        using AlignedBuffer b = Numbers.Uniform((bTap * taps) + (bStep * (depth + 1)), seed: 2);
        using AlignedBuffer biases = Numbers.Uniform(rows, seed: 3);
        using AlignedBuffer expected = Numbers.Uniform(rows * 5 * gap, seed: 4), actual = Numbers.Copy(expected);
        Tap* list = stackalloc Tap[Math.Max(1, taps)];
        for (int t = 0; t < taps; t++)
            list[t] = new Tap((taps - 1 - t) * aTap, t * bTap);
        var p = new ProductOperands
        {
            A = a.Pointer,
            ARow = aRow,
            AStep = 1,
            B = b.Pointer,
            BColumn = Stripes.Count,
            BStep = bStep,
            C = expected.Pointer,
            CRow = 5 * gap,
            CColumn = gap,
            Depth = depth,
            Taps = list,
            TapCount = taps,
            Accumulate = accumulate,
            Bias = bias ? biases.Pointer : null,
            Rectify = rectify,
        };

        ProductTile.Reference(rows, columns, in p);
        p.C = actual.Pointer;
        Run(width, rows, columns, in p);

        Numbers.AssertSameBits(expected.Span, actual.Span, $"{rows}×{columns}, {taps} taps of {depth}, width {width}");
    }

    private static void Run(int width, int rows, int columns, in ProductOperands p)
    {
        switch (width)
        {
            case 16: ProductTile<Vector512<float>, Ops512>.Run(rows, columns, in p); break;
            case 8: ProductTile<Vector256<float>, Ops256>.Run(rows, columns, in p); break;
            default: ProductTile<Vector128<float>, Ops128>.Run(rows, columns, in p); break;
        }
    }
}
