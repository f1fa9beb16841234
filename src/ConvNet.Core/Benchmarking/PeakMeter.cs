using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Benchmarking;

/// <summary>What one thread of this machine can do at most: arithmetic and copying. The measure for every other speed.</summary>
/// <remarks>Each takes the best of many short slices, so that a busy neighbour costs time and not truth, and ends within about 0.3 s.</remarks>
public static unsafe class PeakMeter
{
    private const int Chains = 12;
    private const int RoundsOfSlice = 100_000;
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(200);

    /// <summary>Bits of the vectors in use: 512, 256 or 128.</summary>
    public static int VectorBits => Widest.Lanes * 32;

    /// <summary>Fused multiply-adds of one thread at the widest vectors, in GFLOP/s: each lane counts as two operations.</summary>
    public static double MultiplyAddPeak() =>
        Vector512.IsHardwareAccelerated ? MultiplyAddPeak<Vector512<float>, Ops512>()
        : Vector256.IsHardwareAccelerated ? MultiplyAddPeak<Vector256<float>, Ops256>()
        : MultiplyAddPeak<Vector128<float>, Ops128>();

    /// <summary>Copying memory too large for the caches by one thread, in GB/s: each byte counts twice, once read and once written.</summary>
    public static double CopyBandwidth()
    {
        const int floats = 16 << 20;
        using var from = new AlignedBuffer(floats);
        using var to = new AlignedBuffer(floats);
        double seconds = BestOf(() => from.Span.CopyTo(to.Span));
        return 2.0 * floats * sizeof(float) / seconds / 1e9;
    }

    /// <summary>The peak at one vector width.</summary>
    internal static double MultiplyAddPeak<TVector, TOps>()
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        using var sink = new AlignedBuffer(Stripes.Count);
        double seconds = BestOf(() => Slice<TVector, TOps>(RoundsOfSlice, sink.Pointer));
        return 2.0 * Chains * TOps.Count * RoundsOfSlice / seconds / 1e9;
    }

    private static double BestOf(Action slice)
    {
        slice();
        double best = double.PositiveInfinity;
        long start = Stopwatch.GetTimestamp();
        do
        {
            long from = Stopwatch.GetTimestamp();
            slice();
            best = Math.Min(best, Stopwatch.GetElapsedTime(from).TotalSeconds);
        }
        while (Stopwatch.GetElapsedTime(start) < Budget);
        return best;
    }

    /// <summary>Twelve chains side by side: enough to hide a latency of 4 cycles at 2 a cycle, few enough for 16 registers.</summary>
    /// <remarks>Optimized from the first call: a loop that starts in unoptimized code and is replaced on the stack measures something else.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Slice<TVector, TOps>(int rounds, float* sink)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector a = TOps.Broadcast(0.999f), b = TOps.Broadcast(0.001f);   // towards 1: neither overflow nor denormal numbers
        TVector s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        TVector s6 = default, s7 = default, s8 = default, s9 = default, sa = default, sb = default;
        for (int i = 0; i < rounds; i++)
        {
            s0 = TOps.FusedMultiplyAdd(s0, a, b);
            s1 = TOps.FusedMultiplyAdd(s1, a, b);
            s2 = TOps.FusedMultiplyAdd(s2, a, b);
            s3 = TOps.FusedMultiplyAdd(s3, a, b);
            s4 = TOps.FusedMultiplyAdd(s4, a, b);
            s5 = TOps.FusedMultiplyAdd(s5, a, b);
            s6 = TOps.FusedMultiplyAdd(s6, a, b);
            s7 = TOps.FusedMultiplyAdd(s7, a, b);
            s8 = TOps.FusedMultiplyAdd(s8, a, b);
            s9 = TOps.FusedMultiplyAdd(s9, a, b);
            sa = TOps.FusedMultiplyAdd(sa, a, b);
            sb = TOps.FusedMultiplyAdd(sb, a, b);
        }

        TVector sum = TOps.Add(TOps.Add(TOps.Add(s0, s1), TOps.Add(s2, s3)), TOps.Add(TOps.Add(s4, s5), TOps.Add(s6, s7)));
        TOps.Store(TOps.Add(sum, TOps.Add(TOps.Add(s8, s9), TOps.Add(sa, sb))), sink);
    }
}
