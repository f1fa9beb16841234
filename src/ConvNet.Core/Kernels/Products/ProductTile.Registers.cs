using System.Runtime.CompilerServices;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Products;

/// <summary>The register tiles under every product: a few rows by a few vectors of running sums, held in registers.</summary>
/// <remarks>
/// Plain on purpose: one local a sum, because the JIT keeps locals in registers and nothing else. The counts of rows and vectors
/// are type arguments, so the branches on them are gone once compiled. 24 sums hide the latency of a fused multiply-add (4 cycles,
/// 2 a cycle) three times over; 12 broadcasts serve 24 of them, so the load ports keep up.
/// </remarks>
internal static unsafe partial class ProductTile<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    /// <summary>Up to 12 rows by 2 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tall<TRows, TVectors>(in ProductOperands p)
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
    {
        TVector s00 = default, s01 = default;
        TVector s10 = default, s11 = default;
        TVector s20 = default, s21 = default;
        TVector s30 = default, s31 = default;
        TVector s40 = default, s41 = default;
        TVector s50 = default, s51 = default;
        TVector s60 = default, s61 = default;
        TVector s70 = default, s71 = default;
        TVector s80 = default, s81 = default;
        TVector s90 = default, s91 = default;
        TVector sa0 = default, sa1 = default;
        TVector sb0 = default, sb1 = default;
        nint row = p.ARow, aStep = p.AStep, bStep = p.BStep;
        nint v1 = VectorOffset(1, p.BColumn), aheadStep = p.AheadStep;
        float* ahead = p.Ahead;
        for (int tap = 0; tap < p.TapCount; tap++)
        {
            float* a = p.A + p.Taps[tap].A, b = p.B + p.Taps[tap].B;
            for (int i = p.Depth; i > 0; i--)
            {
                TVector b0 = TOps.Load(b);
                TVector b1 = TVectors.Value > 1 ? TOps.Load(b + v1) : default;
                {
                    TVector x = TOps.Broadcast(*(a));
                    s00 = TOps.FusedMultiplyAdd(x, b0, s00);
                    if (TVectors.Value > 1)
                        s01 = TOps.FusedMultiplyAdd(x, b1, s01);
                }

                if (TRows.Value > 1)
                {
                    TVector x = TOps.Broadcast(*(a + row));
                    s10 = TOps.FusedMultiplyAdd(x, b0, s10);
                    if (TVectors.Value > 1)
                        s11 = TOps.FusedMultiplyAdd(x, b1, s11);
                }

                if (TRows.Value > 2)
                {
                    TVector x = TOps.Broadcast(*(a + (2 * row)));
                    s20 = TOps.FusedMultiplyAdd(x, b0, s20);
                    if (TVectors.Value > 1)
                        s21 = TOps.FusedMultiplyAdd(x, b1, s21);
                }

                if (TRows.Value > 3)
                {
                    TVector x = TOps.Broadcast(*(a + (3 * row)));
                    s30 = TOps.FusedMultiplyAdd(x, b0, s30);
                    if (TVectors.Value > 1)
                        s31 = TOps.FusedMultiplyAdd(x, b1, s31);
                }

                if (TRows.Value > 4)
                {
                    TVector x = TOps.Broadcast(*(a + (4 * row)));
                    s40 = TOps.FusedMultiplyAdd(x, b0, s40);
                    if (TVectors.Value > 1)
                        s41 = TOps.FusedMultiplyAdd(x, b1, s41);
                }

                if (TRows.Value > 5)
                {
                    TVector x = TOps.Broadcast(*(a + (5 * row)));
                    s50 = TOps.FusedMultiplyAdd(x, b0, s50);
                    if (TVectors.Value > 1)
                        s51 = TOps.FusedMultiplyAdd(x, b1, s51);
                }

                if (TRows.Value > 6)
                {
                    TVector x = TOps.Broadcast(*(a + (6 * row)));
                    s60 = TOps.FusedMultiplyAdd(x, b0, s60);
                    if (TVectors.Value > 1)
                        s61 = TOps.FusedMultiplyAdd(x, b1, s61);
                }

                if (TRows.Value > 7)
                {
                    TVector x = TOps.Broadcast(*(a + (7 * row)));
                    s70 = TOps.FusedMultiplyAdd(x, b0, s70);
                    if (TVectors.Value > 1)
                        s71 = TOps.FusedMultiplyAdd(x, b1, s71);
                }

                if (TRows.Value > 8)
                {
                    TVector x = TOps.Broadcast(*(a + (8 * row)));
                    s80 = TOps.FusedMultiplyAdd(x, b0, s80);
                    if (TVectors.Value > 1)
                        s81 = TOps.FusedMultiplyAdd(x, b1, s81);
                }

                if (TRows.Value > 9)
                {
                    TVector x = TOps.Broadcast(*(a + (9 * row)));
                    s90 = TOps.FusedMultiplyAdd(x, b0, s90);
                    if (TVectors.Value > 1)
                        s91 = TOps.FusedMultiplyAdd(x, b1, s91);
                }

                if (TRows.Value > 10)
                {
                    TVector x = TOps.Broadcast(*(a + (10 * row)));
                    sa0 = TOps.FusedMultiplyAdd(x, b0, sa0);
                    if (TVectors.Value > 1)
                        sa1 = TOps.FusedMultiplyAdd(x, b1, sa1);
                }

                if (TRows.Value > 11)
                {
                    TVector x = TOps.Broadcast(*(a + (11 * row)));
                    sb0 = TOps.FusedMultiplyAdd(x, b0, sb0);
                    if (TVectors.Value > 1)
                        sb1 = TOps.FusedMultiplyAdd(x, b1, sb1);
                }

                if (TRows.Value >= ProductTile.WideRows && ahead != null)
                {
                    ProductTile.Prefetch(ahead);
                    ahead += aheadStep;
                }

                a += aStep;
                b += bStep;
            }
        }

        nint c1 = VectorOffset(1, p.CColumn);
        {
            float* c = p.C + (0 * p.CRow);
            Finish(s00, c, 0, 0, in p);
            if (TVectors.Value > 1)
                Finish(s01, c + c1, 0, 1, in p);
        }

        if (TRows.Value > 1)
        {
            float* c = p.C + (1 * p.CRow);
            Finish(s10, c, 1, 0, in p);
            if (TVectors.Value > 1)
                Finish(s11, c + c1, 1, 1, in p);
        }

        if (TRows.Value > 2)
        {
            float* c = p.C + (2 * p.CRow);
            Finish(s20, c, 2, 0, in p);
            if (TVectors.Value > 1)
                Finish(s21, c + c1, 2, 1, in p);
        }

        if (TRows.Value > 3)
        {
            float* c = p.C + (3 * p.CRow);
            Finish(s30, c, 3, 0, in p);
            if (TVectors.Value > 1)
                Finish(s31, c + c1, 3, 1, in p);
        }

        if (TRows.Value > 4)
        {
            float* c = p.C + (4 * p.CRow);
            Finish(s40, c, 4, 0, in p);
            if (TVectors.Value > 1)
                Finish(s41, c + c1, 4, 1, in p);
        }

        if (TRows.Value > 5)
        {
            float* c = p.C + (5 * p.CRow);
            Finish(s50, c, 5, 0, in p);
            if (TVectors.Value > 1)
                Finish(s51, c + c1, 5, 1, in p);
        }

        if (TRows.Value > 6)
        {
            float* c = p.C + (6 * p.CRow);
            Finish(s60, c, 6, 0, in p);
            if (TVectors.Value > 1)
                Finish(s61, c + c1, 6, 1, in p);
        }

        if (TRows.Value > 7)
        {
            float* c = p.C + (7 * p.CRow);
            Finish(s70, c, 7, 0, in p);
            if (TVectors.Value > 1)
                Finish(s71, c + c1, 7, 1, in p);
        }

        if (TRows.Value > 8)
        {
            float* c = p.C + (8 * p.CRow);
            Finish(s80, c, 8, 0, in p);
            if (TVectors.Value > 1)
                Finish(s81, c + c1, 8, 1, in p);
        }

        if (TRows.Value > 9)
        {
            float* c = p.C + (9 * p.CRow);
            Finish(s90, c, 9, 0, in p);
            if (TVectors.Value > 1)
                Finish(s91, c + c1, 9, 1, in p);
        }

        if (TRows.Value > 10)
        {
            float* c = p.C + (10 * p.CRow);
            Finish(sa0, c, 10, 0, in p);
            if (TVectors.Value > 1)
                Finish(sa1, c + c1, 10, 1, in p);
        }

        if (TRows.Value > 11)
        {
            float* c = p.C + (11 * p.CRow);
            Finish(sb0, c, 11, 0, in p);
            if (TVectors.Value > 1)
                Finish(sb1, c + c1, 11, 1, in p);
        }
    }

    /// <summary>Up to 6 rows by 4 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide<TRows, TVectors>(in ProductOperands p)
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
    {
        TVector s00 = default, s01 = default, s02 = default, s03 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default;
        TVector s30 = default, s31 = default, s32 = default, s33 = default;
        TVector s40 = default, s41 = default, s42 = default, s43 = default;
        TVector s50 = default, s51 = default, s52 = default, s53 = default;
        nint row = p.ARow, aStep = p.AStep, bStep = p.BStep;
        nint v1 = VectorOffset(1, p.BColumn);
        nint v2 = VectorOffset(2, p.BColumn);
        nint v3 = VectorOffset(3, p.BColumn);
        for (int tap = 0; tap < p.TapCount; tap++)
        {
            float* a = p.A + p.Taps[tap].A, b = p.B + p.Taps[tap].B;
            for (int i = p.Depth; i > 0; i--)
            {
                TVector b0 = TOps.Load(b);
                TVector b1 = TVectors.Value > 1 ? TOps.Load(b + v1) : default;
                TVector b2 = TVectors.Value > 2 ? TOps.Load(b + v2) : default;
                TVector b3 = TVectors.Value > 3 ? TOps.Load(b + v3) : default;
                {
                    TVector x = TOps.Broadcast(*(a));
                    s00 = TOps.FusedMultiplyAdd(x, b0, s00);
                    if (TVectors.Value > 1)
                        s01 = TOps.FusedMultiplyAdd(x, b1, s01);
                    if (TVectors.Value > 2)
                        s02 = TOps.FusedMultiplyAdd(x, b2, s02);
                    if (TVectors.Value > 3)
                        s03 = TOps.FusedMultiplyAdd(x, b3, s03);
                }

                if (TRows.Value > 1)
                {
                    TVector x = TOps.Broadcast(*(a + row));
                    s10 = TOps.FusedMultiplyAdd(x, b0, s10);
                    if (TVectors.Value > 1)
                        s11 = TOps.FusedMultiplyAdd(x, b1, s11);
                    if (TVectors.Value > 2)
                        s12 = TOps.FusedMultiplyAdd(x, b2, s12);
                    if (TVectors.Value > 3)
                        s13 = TOps.FusedMultiplyAdd(x, b3, s13);
                }

                if (TRows.Value > 2)
                {
                    TVector x = TOps.Broadcast(*(a + (2 * row)));
                    s20 = TOps.FusedMultiplyAdd(x, b0, s20);
                    if (TVectors.Value > 1)
                        s21 = TOps.FusedMultiplyAdd(x, b1, s21);
                    if (TVectors.Value > 2)
                        s22 = TOps.FusedMultiplyAdd(x, b2, s22);
                    if (TVectors.Value > 3)
                        s23 = TOps.FusedMultiplyAdd(x, b3, s23);
                }

                if (TRows.Value > 3)
                {
                    TVector x = TOps.Broadcast(*(a + (3 * row)));
                    s30 = TOps.FusedMultiplyAdd(x, b0, s30);
                    if (TVectors.Value > 1)
                        s31 = TOps.FusedMultiplyAdd(x, b1, s31);
                    if (TVectors.Value > 2)
                        s32 = TOps.FusedMultiplyAdd(x, b2, s32);
                    if (TVectors.Value > 3)
                        s33 = TOps.FusedMultiplyAdd(x, b3, s33);
                }

                if (TRows.Value > 4)
                {
                    TVector x = TOps.Broadcast(*(a + (4 * row)));
                    s40 = TOps.FusedMultiplyAdd(x, b0, s40);
                    if (TVectors.Value > 1)
                        s41 = TOps.FusedMultiplyAdd(x, b1, s41);
                    if (TVectors.Value > 2)
                        s42 = TOps.FusedMultiplyAdd(x, b2, s42);
                    if (TVectors.Value > 3)
                        s43 = TOps.FusedMultiplyAdd(x, b3, s43);
                }

                if (TRows.Value > 5)
                {
                    TVector x = TOps.Broadcast(*(a + (5 * row)));
                    s50 = TOps.FusedMultiplyAdd(x, b0, s50);
                    if (TVectors.Value > 1)
                        s51 = TOps.FusedMultiplyAdd(x, b1, s51);
                    if (TVectors.Value > 2)
                        s52 = TOps.FusedMultiplyAdd(x, b2, s52);
                    if (TVectors.Value > 3)
                        s53 = TOps.FusedMultiplyAdd(x, b3, s53);
                }

                a += aStep;
                b += bStep;
            }
        }

        nint c1 = VectorOffset(1, p.CColumn);
        nint c2 = VectorOffset(2, p.CColumn);
        nint c3 = VectorOffset(3, p.CColumn);
        {
            float* c = p.C + (0 * p.CRow);
            Finish(s00, c, 0, 0, in p);
            if (TVectors.Value > 1)
                Finish(s01, c + c1, 0, 1, in p);
            if (TVectors.Value > 2)
                Finish(s02, c + c2, 0, 2, in p);
            if (TVectors.Value > 3)
                Finish(s03, c + c3, 0, 3, in p);
        }

        if (TRows.Value > 1)
        {
            float* c = p.C + (1 * p.CRow);
            Finish(s10, c, 1, 0, in p);
            if (TVectors.Value > 1)
                Finish(s11, c + c1, 1, 1, in p);
            if (TVectors.Value > 2)
                Finish(s12, c + c2, 1, 2, in p);
            if (TVectors.Value > 3)
                Finish(s13, c + c3, 1, 3, in p);
        }

        if (TRows.Value > 2)
        {
            float* c = p.C + (2 * p.CRow);
            Finish(s20, c, 2, 0, in p);
            if (TVectors.Value > 1)
                Finish(s21, c + c1, 2, 1, in p);
            if (TVectors.Value > 2)
                Finish(s22, c + c2, 2, 2, in p);
            if (TVectors.Value > 3)
                Finish(s23, c + c3, 2, 3, in p);
        }

        if (TRows.Value > 3)
        {
            float* c = p.C + (3 * p.CRow);
            Finish(s30, c, 3, 0, in p);
            if (TVectors.Value > 1)
                Finish(s31, c + c1, 3, 1, in p);
            if (TVectors.Value > 2)
                Finish(s32, c + c2, 3, 2, in p);
            if (TVectors.Value > 3)
                Finish(s33, c + c3, 3, 3, in p);
        }

        if (TRows.Value > 4)
        {
            float* c = p.C + (4 * p.CRow);
            Finish(s40, c, 4, 0, in p);
            if (TVectors.Value > 1)
                Finish(s41, c + c1, 4, 1, in p);
            if (TVectors.Value > 2)
                Finish(s42, c + c2, 4, 2, in p);
            if (TVectors.Value > 3)
                Finish(s43, c + c3, 4, 3, in p);
        }

        if (TRows.Value > 5)
        {
            float* c = p.C + (5 * p.CRow);
            Finish(s50, c, 5, 0, in p);
            if (TVectors.Value > 1)
                Finish(s51, c + c1, 5, 1, in p);
            if (TVectors.Value > 2)
                Finish(s52, c + c2, 5, 2, in p);
            if (TVectors.Value > 3)
                Finish(s53, c + c3, 5, 3, in p);
        }
    }
}
