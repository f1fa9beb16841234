using System.Diagnostics;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Memory;

namespace ConvNet.Core.Benchmarking;

/// <summary>Measures the matrix product on one thread.</summary>
public static class GemmMeter
{
    /// <summary>10⁹ operations a second for two square matrices of <paramref name="size"/>; the best of several runs counts.</summary>
    public static unsafe double Measure(int size, int repetitions = 6)
    {
        using AlignedBuffer a = new(size * size), b = new(size * size), c = new(size * size), scratch = new(Gemm.ScratchLength);
        a.Span.Fill(0.5f);
        b.Span.Fill(0.25f);
        double best = 0;
        for (int i = 0; i < repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Gemm.Multiply(size, size, size, new Matrix(a.Pointer, size, 1), new Matrix(b.Pointer, size, 1), new Matrix(c.Pointer, size, 1), false, scratch.Pointer);
            best = Math.Max(best, 2.0 * size * size * size / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }

        return best;
    }
}
