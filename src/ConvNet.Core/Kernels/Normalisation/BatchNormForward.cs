using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Normalisation;

/// <summary>The statistics of each channel: mean = Σx / n, variance = Σ(x − mean)² / n, in two passes because one would cancel.</summary>
/// <remarks>Writes mean, 1 / √(variance + ε), and the variance over n − 1 for the running one.</remarks>
internal readonly struct BatchNormStatistics : IKernel<BatchNormArguments>
{
    public static unsafe void Run<TVector, TOps>(in BatchNormArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* stripes = stackalloc float[Stripes.Count];
        float count = (float)a.Samples * a.Pixels;
        for (int channel = a.FirstChannel; channel < a.EndChannel; channel++)
        {
            float* x = a.X + ((nint)channel * a.Pixels * Stripes.Count);
            Sum<TVector, TOps>(in a, x, 0, squares: false, stripes);
            float mean = Stripes.Fold(stripes) / count;
            Sum<TVector, TOps>(in a, x, mean, squares: true, stripes);
            float squares = Stripes.Fold(stripes);
            a.Mean[channel] = mean;
            a.InverseDeviation[channel] = 1 / MathF.Sqrt((squares / count) + a.Epsilon);
            a.Variance[channel] = squares / Math.Max(1, count - 1);
        }
    }

    /// <summary>Σx, or Σ(x − mean)², of each stripe.</summary>
    private static unsafe void Sum<TVector, TOps>(in BatchNormArguments a, float* x, float mean, bool squares, float* stripes)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* masks = stackalloc float[Stripes.Count];
        TVector m = TOps.Broadcast(mean);
        for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
        {
            TVector s0 = default, s1 = default, s2 = default, s3 = default;
            for (int block = 0; block < a.Blocks; block++)
            {
                float* p = x + (block * a.BlockStride) + lane;
                a.WriteMask(block, masks);
                TVector mask = TOps.Load(masks + lane);
                int pixel = 0;
                if (squares)
                {
                    for (; pixel <= a.Pixels - 4; pixel += 4, p += 4 * Stripes.Count)
                    {
                        TVector d0 = TOps.And(TOps.Subtract(TOps.Load(p), m), mask), d1 = TOps.And(TOps.Subtract(TOps.Load(p + Stripes.Count), m), mask);
                        TVector d2 = TOps.And(TOps.Subtract(TOps.Load(p + (2 * Stripes.Count)), m), mask), d3 = TOps.And(TOps.Subtract(TOps.Load(p + (3 * Stripes.Count)), m), mask);
                        s0 = TOps.FusedMultiplyAdd(d0, d0, s0);
                        s1 = TOps.FusedMultiplyAdd(d1, d1, s1);
                        s2 = TOps.FusedMultiplyAdd(d2, d2, s2);
                        s3 = TOps.FusedMultiplyAdd(d3, d3, s3);
                    }
                }
                else
                {
                    for (; pixel <= a.Pixels - 4; pixel += 4, p += 4 * Stripes.Count)
                    {
                        s0 = TOps.Add(s0, TOps.And(TOps.Load(p), mask));
                        s1 = TOps.Add(s1, TOps.And(TOps.Load(p + Stripes.Count), mask));
                        s2 = TOps.Add(s2, TOps.And(TOps.Load(p + (2 * Stripes.Count)), mask));
                        s3 = TOps.Add(s3, TOps.And(TOps.Load(p + (3 * Stripes.Count)), mask));
                    }
                }

                for (int rest = 0; pixel < a.Pixels; pixel++, rest++, p += Stripes.Count)
                {
                    TVector d = TOps.And(TOps.Subtract(TOps.Load(p), m), mask);
                    TVector sum = rest == 0 ? s0 : rest == 1 ? s1 : s2;
                    sum = squares ? TOps.FusedMultiplyAdd(d, d, sum) : TOps.Add(sum, d);
                    if (rest == 0)
                        s0 = sum;
                    else if (rest == 1)
                        s1 = sum;
                    else
                        s2 = sum;
                }
            }

            TOps.Store(TOps.Add(TOps.Add(s0, s1), TOps.Add(s2, s3)), stripes + lane);
        }
    }
}

/// <summary>y = (x − mean)·(γ / deviation) + β, the scale rounded once for each channel.</summary>
internal readonly struct BatchNormApply : IKernel<BatchNormArguments>
{
    public static unsafe void Run<TVector, TOps>(in BatchNormArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        nint plane = (nint)a.Pixels * Stripes.Count;
        for (int block = 0; block < a.Blocks; block++)
        {
            for (int channel = a.FirstChannel; channel < a.EndChannel; channel++)
            {
                TVector mean = TOps.Broadcast(a.Mean[channel]), beta = TOps.Broadcast(a.Beta[channel]);
                TVector scale = TOps.Broadcast(a.Gamma[channel] * a.InverseDeviation[channel]);
                nint first = (block * a.BlockStride) + (channel * plane);
                float* x = a.X + first, y = a.Y + first;
                if (a.Rectify)
                {
                    for (nint i = 0; i < plane; i += TOps.Count)
                        TOps.Store(TOps.Rectify(TOps.FusedMultiplyAdd(TOps.Subtract(TOps.Load(x + i), mean), scale, beta)), y + i);
                }
                else
                {
                    for (nint i = 0; i < plane; i += TOps.Count)
                        TOps.Store(TOps.FusedMultiplyAdd(TOps.Subtract(TOps.Load(x + i), mean), scale, beta), y + i);
                }
            }
        }
    }
}
