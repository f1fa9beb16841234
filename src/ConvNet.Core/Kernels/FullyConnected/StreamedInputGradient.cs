using System.Runtime.CompilerServices;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.FullyConnected;

/// <summary>dx = wᵀ·dy of a layer whose weights are too large for the caches, for one block of samples.</summary>
/// <remarks>
/// A column of w meets all its rows, and 256 rows are more streams than a processor foresees: it then waits for each line. So a few rows are read together, front to back over
/// <see cref="Panel"/> inputs, and the sums of those inputs wait in the first caches for the next rows, whose lines are asked for meanwhile.
/// <b>Canonical order</b> as in <see cref="FullyConnectedKernels"/>: a chain is put down and taken up again, which rounds nothing.
/// </remarks>
internal static unsafe class StreamedInputGradient<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    /// <summary>Inputs whose sums wait together, 64 KB.</summary>
    private const int Panel = 1024;

    /// <summary>Rows of w read together.</summary>
    private const int Together = 16;

    /// <summary>Computes dx.</summary>
    /// <param name="dy"><c>[O][16]</c>.</param>
    /// <param name="w"><c>[O, I]</c>.</param>
    /// <param name="dx"><c>[I][16]</c>, overwritten.</param>
    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    public static void Run(float* dy, float* w, float* dx, int inputs, int outputs)
    {
        float* chains = stackalloc float[Panel * Stripes.Count];
        for (int first = 0; first < inputs; first += Panel)
        {
            int width = Math.Min(Panel, inputs - first);
            float* total = dx + ((nint)first * Stripes.Count);
            for (int term = 0; term < outputs; term += SumBlocks.Terms)
            {
                int end = Math.Min(term + SumBlocks.Terms, outputs);
                float* sums = term == 0 ? total : chains;
                new Span<float>(sums, width * Stripes.Count).Clear();
                for (int row = term; row < end; row += Together)
                {
                    int rows = Math.Min(Together, end - row);
                    AddRows(dy + ((nint)row * Stripes.Count), w + ((nint)row * inputs) + first, inputs, rows, row + Together + rows <= outputs, width, sums);
                }

                for (nint i = 0; i < (nint)width * Stripes.Count && term > 0; i += TOps.Count)
                    TOps.Store(TOps.Add(TOps.Load(total + i), TOps.Load(chains + i)), total + i);
            }
        }
    }

    private static void AddRows(float* dy, float* w, nint step, int rows, bool more, int width, float* sums)
    {
        int input = 0;
        for (; TOps.Count == Stripes.Count && input + 16 <= width; input += 16)
            Tile<N16>(dy, w + input, step, rows, more ? step * Together : 0, sums + ((nint)input * Stripes.Count));
        for (; input + 8 <= width; input += 8)
            Tile<N8>(dy, w + input, step, rows, more ? step * Together : 0, sums + ((nint)input * Stripes.Count));
        for (; input < width; input++)
            Tile<N1>(dy, w + input, step, rows, 0, sums + ((nint)input * Stripes.Count));
    }

    /// <summary>Goes on with the chains of a few inputs over some rows of w, a vector of samples after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TInputs>(float* dy, float* w, nint step, int rows, nint ahead, float* sums)
        where TInputs : struct, IConstant
    {
        const int lanes = Stripes.Count;
        for (int lane = 0; lane < lanes; lane += TOps.Count)
        {
            float* s = sums + lane, d = dy + lane, a = w;
            TVector s0 = TOps.Load(s), s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
            TVector s8 = default, s9 = default, sa = default, sb = default, sc = default, sd = default, se = default, sf = default;
            if (TInputs.Value > 1)
            {
                (s1, s2, s3, s4) = (TOps.Load(s + lanes), TOps.Load(s + (2 * lanes)), TOps.Load(s + (3 * lanes)), TOps.Load(s + (4 * lanes)));
                (s5, s6, s7) = (TOps.Load(s + (5 * lanes)), TOps.Load(s + (6 * lanes)), TOps.Load(s + (7 * lanes)));
            }

            if (TInputs.Value > 8)
            {
                (s8, s9, sa, sb) = (TOps.Load(s + (8 * lanes)), TOps.Load(s + (9 * lanes)), TOps.Load(s + (10 * lanes)), TOps.Load(s + (11 * lanes)));
                (sc, sd, se, sf) = (TOps.Load(s + (12 * lanes)), TOps.Load(s + (13 * lanes)), TOps.Load(s + (14 * lanes)), TOps.Load(s + (15 * lanes)));
            }

            for (int row = rows; row > 0; row--, a += step, d += lanes)
            {
                TVector b = TOps.Load(d);
                if (lane == 0)
                    ProductTile.Prefetch(a + ahead);
                s0 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[0]), b, s0);
                if (TInputs.Value > 1)
                {
                    s1 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[1]), b, s1);
                    s2 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[2]), b, s2);
                    s3 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[3]), b, s3);
                    s4 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[4]), b, s4);
                    s5 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[5]), b, s5);
                    s6 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[6]), b, s6);
                    s7 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[7]), b, s7);
                }

                if (TInputs.Value > 8)
                {
                    s8 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[8]), b, s8);
                    s9 = TOps.FusedMultiplyAdd(TOps.Broadcast(a[9]), b, s9);
                    sa = TOps.FusedMultiplyAdd(TOps.Broadcast(a[10]), b, sa);
                    sb = TOps.FusedMultiplyAdd(TOps.Broadcast(a[11]), b, sb);
                    sc = TOps.FusedMultiplyAdd(TOps.Broadcast(a[12]), b, sc);
                    sd = TOps.FusedMultiplyAdd(TOps.Broadcast(a[13]), b, sd);
                    se = TOps.FusedMultiplyAdd(TOps.Broadcast(a[14]), b, se);
                    sf = TOps.FusedMultiplyAdd(TOps.Broadcast(a[15]), b, sf);
                }
            }

            TOps.Store(s0, s);
            if (TInputs.Value > 1)
            {
                TOps.Store(s1, s + lanes);
                TOps.Store(s2, s + (2 * lanes));
                TOps.Store(s3, s + (3 * lanes));
                TOps.Store(s4, s + (4 * lanes));
                TOps.Store(s5, s + (5 * lanes));
                TOps.Store(s6, s + (6 * lanes));
                TOps.Store(s7, s + (7 * lanes));
            }

            if (TInputs.Value > 8)
            {
                TOps.Store(s8, s + (8 * lanes));
                TOps.Store(s9, s + (9 * lanes));
                TOps.Store(sa, s + (10 * lanes));
                TOps.Store(sb, s + (11 * lanes));
                TOps.Store(sc, s + (12 * lanes));
                TOps.Store(sd, s + (13 * lanes));
                TOps.Store(se, s + (14 * lanes));
                TOps.Store(sf, s + (15 * lanes));
            }
        }
    }
}
