using System.Runtime.CompilerServices;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Convolutions;

/// <summary>The register tile of the gradient by weight: up to 4 output channels by 6 taps, each sum 16 stripes wide.</summary>
internal static unsafe partial class WeightGradientTile<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    /// <summary>Sums over all pixels of all blocks, for the stripes that one vector at <paramref name="lane"/> holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Registers<TRows, TTaps>(in WeightGradientOperands p, int lane)
        where TRows : struct, Products.IConstant
        where TTaps : struct, Products.IConstant
    {
        TVector s00 = default, s01 = default, s02 = default, s03 = default, s04 = default, s05 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default, s14 = default, s15 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default, s24 = default, s25 = default;
        TVector s30 = default, s31 = default, s32 = default, s33 = default, s34 = default, s35 = default;
        nint dyRow = p.DyChannel;
        nint t1 = p.TapOffset[1] - p.TapOffset[0];
        nint t2 = p.TapOffset[2] - p.TapOffset[0];
        nint t3 = p.TapOffset[3] - p.TapOffset[0];
        nint t4 = p.TapOffset[4] - p.TapOffset[0];
        nint t5 = p.TapOffset[5] - p.TapOffset[0];
        for (int block = 0; block < p.Blocks; block++)
        {
            for (int line = 0; line < p.Lines; line++)
            {
                float* dyLine = p.Dy + (block * p.DyBlock) + (line * p.DyLine) + lane;
                float* xLine = p.X + (block * p.XBlock) + (line * p.XLine) + p.TapOffset[0] + lane;
                for (int pixel = 0; pixel < p.Pixels; pixel++)
                {
                    float* dy = dyLine + (pixel * Stripes.Count), x = xLine + (pixel * p.XPixel);
                    TVector x0, x1 = default, x2 = default, x3 = default, x4 = default, x5 = default;
                    if (pixel >= p.InsideFirst && pixel < p.InsideEnd)
                    {
                        x0 = TOps.Load(x);
                        if (TTaps.Value > 1)
                            x1 = TOps.Load(x + t1);
                        if (TTaps.Value > 2)
                            x2 = TOps.Load(x + t2);
                        if (TTaps.Value > 3)
                            x3 = TOps.Load(x + t3);
                        if (TTaps.Value > 4)
                            x4 = TOps.Load(x + t4);
                        if (TTaps.Value > 5)
                            x5 = TOps.Load(x + t5);
                    }
                    else
                    {
                        // At the image's border a tap outside it reads zeros.
                        x0 = p.Inside(0, pixel) ? TOps.Load(x) : default;
                        if (TTaps.Value > 1)
                            x1 = p.Inside(1, pixel) ? TOps.Load(x + t1) : default;
                        if (TTaps.Value > 2)
                            x2 = p.Inside(2, pixel) ? TOps.Load(x + t2) : default;
                        if (TTaps.Value > 3)
                            x3 = p.Inside(3, pixel) ? TOps.Load(x + t3) : default;
                        if (TTaps.Value > 4)
                            x4 = p.Inside(4, pixel) ? TOps.Load(x + t4) : default;
                        if (TTaps.Value > 5)
                            x5 = p.Inside(5, pixel) ? TOps.Load(x + t5) : default;
                    }

                    {
                        TVector d = TOps.Load(dy);
                        s00 = TOps.FusedMultiplyAdd(d, x0, s00);
                        if (TTaps.Value > 1)
                            s01 = TOps.FusedMultiplyAdd(d, x1, s01);
                        if (TTaps.Value > 2)
                            s02 = TOps.FusedMultiplyAdd(d, x2, s02);
                        if (TTaps.Value > 3)
                            s03 = TOps.FusedMultiplyAdd(d, x3, s03);
                        if (TTaps.Value > 4)
                            s04 = TOps.FusedMultiplyAdd(d, x4, s04);
                        if (TTaps.Value > 5)
                            s05 = TOps.FusedMultiplyAdd(d, x5, s05);
                    }

                    if (TRows.Value > 1)
                    {
                        TVector d = TOps.Load(dy + dyRow);
                        s10 = TOps.FusedMultiplyAdd(d, x0, s10);
                        if (TTaps.Value > 1)
                            s11 = TOps.FusedMultiplyAdd(d, x1, s11);
                        if (TTaps.Value > 2)
                            s12 = TOps.FusedMultiplyAdd(d, x2, s12);
                        if (TTaps.Value > 3)
                            s13 = TOps.FusedMultiplyAdd(d, x3, s13);
                        if (TTaps.Value > 4)
                            s14 = TOps.FusedMultiplyAdd(d, x4, s14);
                        if (TTaps.Value > 5)
                            s15 = TOps.FusedMultiplyAdd(d, x5, s15);
                    }

                    if (TRows.Value > 2)
                    {
                        TVector d = TOps.Load(dy + (2 * dyRow));
                        s20 = TOps.FusedMultiplyAdd(d, x0, s20);
                        if (TTaps.Value > 1)
                            s21 = TOps.FusedMultiplyAdd(d, x1, s21);
                        if (TTaps.Value > 2)
                            s22 = TOps.FusedMultiplyAdd(d, x2, s22);
                        if (TTaps.Value > 3)
                            s23 = TOps.FusedMultiplyAdd(d, x3, s23);
                        if (TTaps.Value > 4)
                            s24 = TOps.FusedMultiplyAdd(d, x4, s24);
                        if (TTaps.Value > 5)
                            s25 = TOps.FusedMultiplyAdd(d, x5, s25);
                    }

                    if (TRows.Value > 3)
                    {
                        TVector d = TOps.Load(dy + (3 * dyRow));
                        s30 = TOps.FusedMultiplyAdd(d, x0, s30);
                        if (TTaps.Value > 1)
                            s31 = TOps.FusedMultiplyAdd(d, x1, s31);
                        if (TTaps.Value > 2)
                            s32 = TOps.FusedMultiplyAdd(d, x2, s32);
                        if (TTaps.Value > 3)
                            s33 = TOps.FusedMultiplyAdd(d, x3, s33);
                        if (TTaps.Value > 4)
                            s34 = TOps.FusedMultiplyAdd(d, x4, s34);
                        if (TTaps.Value > 5)
                            s35 = TOps.FusedMultiplyAdd(d, x5, s35);
                    }
                }
            }
        }

        float* stripes = p.Stripes + lane;
        {
            TOps.Store(s00, stripes + 0);
            if (TTaps.Value > 1)
                TOps.Store(s01, stripes + 16);
            if (TTaps.Value > 2)
                TOps.Store(s02, stripes + 32);
            if (TTaps.Value > 3)
                TOps.Store(s03, stripes + 48);
            if (TTaps.Value > 4)
                TOps.Store(s04, stripes + 64);
            if (TTaps.Value > 5)
                TOps.Store(s05, stripes + 80);
        }

        if (TRows.Value > 1)
        {
            TOps.Store(s10, stripes + 96);
            if (TTaps.Value > 1)
                TOps.Store(s11, stripes + 112);
            if (TTaps.Value > 2)
                TOps.Store(s12, stripes + 128);
            if (TTaps.Value > 3)
                TOps.Store(s13, stripes + 144);
            if (TTaps.Value > 4)
                TOps.Store(s14, stripes + 160);
            if (TTaps.Value > 5)
                TOps.Store(s15, stripes + 176);
        }

        if (TRows.Value > 2)
        {
            TOps.Store(s20, stripes + 192);
            if (TTaps.Value > 1)
                TOps.Store(s21, stripes + 208);
            if (TTaps.Value > 2)
                TOps.Store(s22, stripes + 224);
            if (TTaps.Value > 3)
                TOps.Store(s23, stripes + 240);
            if (TTaps.Value > 4)
                TOps.Store(s24, stripes + 256);
            if (TTaps.Value > 5)
                TOps.Store(s25, stripes + 272);
        }

        if (TRows.Value > 3)
        {
            TOps.Store(s30, stripes + 288);
            if (TTaps.Value > 1)
                TOps.Store(s31, stripes + 304);
            if (TTaps.Value > 2)
                TOps.Store(s32, stripes + 320);
            if (TTaps.Value > 3)
                TOps.Store(s33, stripes + 336);
            if (TTaps.Value > 4)
                TOps.Store(s34, stripes + 352);
            if (TTaps.Value > 5)
                TOps.Store(s35, stripes + 368);
        }
    }
}
