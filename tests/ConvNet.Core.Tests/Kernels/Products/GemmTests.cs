using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using CsCheck;

namespace ConvNet.Core.Tests.Kernels.Products;

public sealed unsafe class GemmTests
{
    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_size_and_transposition_gives_the_bits_of_the_specification(int width)
    {
        (int M, int N, int K)[] sizes =
        [
            (1, 1, 1), (2, 3, 5), (7, 11, 13), (12, 32, 16), (13, 33, 17), (11, 31, 255), (12, 32, 256), (13, 47, 257), (25, 64, 31), (1, 48, 300),
            (37, 1, 19), (5, 511, 9), (12, 512, 33), (3, 513, 20), (14, 545, 513),
        ];
        foreach ((int m, int n, int k) in sizes)
        {
            for (int transposed = 0; transposed < 4; transposed++)
                Check(width, m, n, k, (transposed & 1) != 0, (transposed & 2) != 0, accumulate: transposed == (m % 4));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Random_sizes_give_the_bits_of_the_specification(int width)
    {
        Gen<(int, int, int, bool, bool, bool)> cases =
            Gen.Select(Gen.Int[1, 60], Gen.Int[1, 100], Gen.Int[1, 300], Gen.Bool, Gen.Bool, Gen.Bool);
        foreach ((int m, int n, int k, bool ta, bool tb, bool accumulate) in Numbers.Cases(cases, 40))
            Check(width, m, n, k, ta, tb, accumulate);
    }

    /// <summary>More rows than one block of packed A has, in every way that could be cut.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Many_rows_give_the_bits_of_the_specification(int width)
    {
        foreach (int m in (int[])[95, 96, 97, 300, 577])
            Check(width, m, 40, 260, transposeA: m % 2 == 0, transposeB: false, accumulate: true);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_product_over_nothing_is_zero_or_leaves_what_was_there(int width)
    {
        Check(width, 5, 20, 0, transposeA: false, transposeB: false, accumulate: false);
        Check(width, 5, 20, 0, transposeA: false, transposeB: false, accumulate: true);
    }

    [Fact]
    public void The_widest_product_is_near_the_one_in_double_precision()
    {
        const int m = 31, n = 77, k = 600;
        using AlignedBuffer a = Numbers.Uniform(m * k, seed: 1), b = Numbers.Uniform(k * n, seed: 2), c = Numbers.Unwritten(m * n);
        using var scratch = new AlignedBuffer(Gemm.ScratchLength);
        var expected = new double[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                for (int t = 0; t < k; t++)
                    expected[(i * n) + j] += (double)a.Span[(i * k) + t] * b.Span[(t * n) + j];
            }
        }

        Gemm.Multiply(m, n, k, new Matrix(a.Pointer, k, 1), new Matrix(b.Pointer, n, 1), new Matrix(c.Pointer, n, 1), accumulate: false, scratch.Pointer);

        Numbers.AssertNear(expected, c.Span, 1e-6, "gemm");
    }

    private static void Check(int width, int m, int n, int k, bool transposeA, bool transposeB, bool accumulate)
    {
        int cRow = n + 3;
        using AlignedBuffer a = Numbers.Uniform(m * k, seed: 1), b = Numbers.Uniform(k * n, seed: 2);
        using AlignedBuffer expected = Numbers.Uniform(m * cRow, seed: 3), actual = Numbers.Copy(expected);
        using AlignedBuffer scratch = Numbers.Unwritten(Gemm.ScratchLength);
        Matrix left = transposeA ? new Matrix(a.Pointer, m, 1).Transposed : new Matrix(a.Pointer, k, 1);
        Matrix right = transposeB ? new Matrix(b.Pointer, k, 1).Transposed : new Matrix(b.Pointer, n, 1);

        Gemm.Reference(m, n, k, left, right, new Matrix(expected.Pointer, cRow, 1), accumulate);
        var c = new Matrix(actual.Pointer, cRow, 1);
        switch (width)
        {
            case 16: Gemm.Multiply<Vector512<float>, Ops512>(m, n, k, left, right, c, accumulate, scratch.Pointer); break;
            case 8: Gemm.Multiply<Vector256<float>, Ops256>(m, n, k, left, right, c, accumulate, scratch.Pointer); break;
            default: Gemm.Multiply<Vector128<float>, Ops128>(m, n, k, left, right, c, accumulate, scratch.Pointer); break;
        }

        Numbers.AssertSameBits(expected.Span, actual.Span, $"{m}×{n}×{k}, A transposed {transposeA}, B transposed {transposeB}, width {width}");
    }
}
