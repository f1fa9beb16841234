using System.Diagnostics;
using System.Runtime.CompilerServices;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Benchmarking;

/// <summary>What one thread of this machine can do at most.</summary>
/// <param name="Gflops">Fused multiply-adds on registers, in 10⁹ operations a second; a multiply-add is two.</param>
/// <param name="CopyGigabytesPerSecond">Copying memory that fits no cache, bytes read and written.</param>
/// <param name="VectorBits">The vectors in use: 512, 256 or 128.</param>
public sealed record PeakMeasurement(double Gflops, double CopyGigabytesPerSecond, int VectorBits);

/// <summary>Measures the machine, so that everything else can be told as a share of it.</summary>
public static class PeakMeter
{
    private const int Repetitions = 20;

    /// <summary>Measures for about a quarter of a second; the best of several runs counts.</summary>
    public static PeakMeasurement Measure()
    {
        double best = 0;
        for (int i = 0; i < Repetitions; i++)
        {
            var arguments = new Arguments(200_000);
            long start = Stopwatch.GetTimestamp();
            Widest.Run<Chains, Arguments>(in arguments);
            best = Math.Max(best, 2.0 * Chains.Count * Widest.Lanes * arguments.Rounds / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }

        return new PeakMeasurement(best, Copy(), Widest.Lanes * 32);
    }

    private static double Copy()
    {
        const int Floats = 16 << 20;
        using AlignedBuffer from = new(Floats), to = new(Floats);
        double best = 0;
        for (int i = 0; i < 6; i++)
        {
            long start = Stopwatch.GetTimestamp();
            from.Span.CopyTo(to.Span);
            best = Math.Max(best, 2.0 * sizeof(float) * Floats / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }

        return best;
    }

    private readonly record struct Arguments(int Rounds);

    /// <summary>Twelve independent chains: more than the latency times the width of any core in use.</summary>
    private readonly struct Chains : IKernel<Arguments>
    {
        public const int Count = 12;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static unsafe void Run<TVector, TOps>(in Arguments arguments)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            TVector half = TOps.Broadcast(0.5f), one = TOps.Broadcast(1);
            TVector a = one, b = one, c = one, d = one, e = one, f = one, g = one, h = one, i = one, j = one, k = one, l = one;
            for (int round = arguments.Rounds; round > 0; round--)
            {
                a = TOps.FusedMultiplyAdd(a, half, one);
                b = TOps.FusedMultiplyAdd(b, half, one);
                c = TOps.FusedMultiplyAdd(c, half, one);
                d = TOps.FusedMultiplyAdd(d, half, one);
                e = TOps.FusedMultiplyAdd(e, half, one);
                f = TOps.FusedMultiplyAdd(f, half, one);
                g = TOps.FusedMultiplyAdd(g, half, one);
                h = TOps.FusedMultiplyAdd(h, half, one);
                i = TOps.FusedMultiplyAdd(i, half, one);
                j = TOps.FusedMultiplyAdd(j, half, one);
                k = TOps.FusedMultiplyAdd(k, half, one);
                l = TOps.FusedMultiplyAdd(l, half, one);
            }

            // Stored, so that nothing is optimised away.
            float* sink = stackalloc float[Stripes.Count];
            TOps.Store(TOps.Add(TOps.Add(TOps.Add(a, b), TOps.Add(c, d)), TOps.Add(TOps.Add(e, f), TOps.Add(g, h))), sink);
            TOps.Store(TOps.Add(TOps.Add(i, j), TOps.Add(k, l)), sink);
            if (float.IsNaN(*sink))
                throw new InvalidOperationException("The chains converge to 2.");
        }
    }
}
