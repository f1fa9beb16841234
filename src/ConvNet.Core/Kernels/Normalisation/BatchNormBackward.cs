using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Normalisation;

/// <summary>The backward pass of batch normalisation over its own micro-batch's statistics.</summary>
/// <remarks>
/// <code>
/// x̂ = (x − mean) / deviation      dβ = Σ dy      dγ = Σ dy·x̂      dx = γ / deviation · (dy − dβ / n − x̂ · dγ / n)
/// </code>
/// dγ is summed as Σ dy·(x − mean), in the order of <see cref="BatchNormArguments"/>, and then divided by the deviation. Lanes without a sample
/// have dy = 0 and get dx = 0: the means must not leak into them.
/// </remarks>
internal readonly struct BatchNormBackward : IKernel<BatchNormArguments>
{
    public static unsafe void Run<TVector, TOps>(in BatchNormArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* products = stackalloc float[Stripes.Count], sums = stackalloc float[Stripes.Count];
        float count = (float)a.Samples * a.Pixels;
        for (int channel = 0; channel < a.Channels; channel++)
        {
            nint first = (nint)channel * a.Pixels * Stripes.Count;
            float mean = a.Mean[channel], inverse = a.InverseDeviation[channel];
            Sum<TVector, TOps>(in a, first, mean, sums, products);
            float beta = Stripes.Fold(sums), gamma = Stripes.Fold(products) * inverse;
            a.BetaGradient[channel] = beta;
            a.GammaGradient[channel] = gamma;
            if (a.Dx == null)
                continue;

            // dx = scale·dy + slope·(x − mean) + offset
            float scale = a.Gamma[channel] * inverse;
            Apply<TVector, TOps>(in a, first, mean, scale, -(scale * inverse * (gamma / count)), -(scale * (beta / count)));
        }
    }

    private static unsafe void Sum<TVector, TOps>(in BatchNormArguments a, nint first, float mean, float* sums, float* products)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* masks = stackalloc float[Stripes.Count];
        TVector m = TOps.Broadcast(mean);
        for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
        {
            TVector s0 = default, s1 = default, s2 = default, s3 = default, p0 = default, p1 = default, p2 = default, p3 = default;
            for (int block = 0; block < a.Blocks; block++)
            {
                float* x = a.X + first + (block * a.BlockStride) + lane;
                float* dy = a.Dy + first + (block * a.BlockStride) + lane;
                a.WriteMask(block, masks);
                TVector mask = TOps.Load(masks + lane);
                int pixel = 0;
                for (; pixel <= a.Pixels - 4; pixel += 4, x += 4 * Stripes.Count, dy += 4 * Stripes.Count)
                {
                    TVector g0 = TOps.And(TOps.Load(dy), mask), g1 = TOps.And(TOps.Load(dy + Stripes.Count), mask);
                    TVector g2 = TOps.And(TOps.Load(dy + (2 * Stripes.Count)), mask), g3 = TOps.And(TOps.Load(dy + (3 * Stripes.Count)), mask);
                    s0 = TOps.Add(s0, g0);
                    s1 = TOps.Add(s1, g1);
                    s2 = TOps.Add(s2, g2);
                    s3 = TOps.Add(s3, g3);
                    p0 = TOps.FusedMultiplyAdd(g0, TOps.Subtract(TOps.Load(x), m), p0);
                    p1 = TOps.FusedMultiplyAdd(g1, TOps.Subtract(TOps.Load(x + Stripes.Count), m), p1);
                    p2 = TOps.FusedMultiplyAdd(g2, TOps.Subtract(TOps.Load(x + (2 * Stripes.Count)), m), p2);
                    p3 = TOps.FusedMultiplyAdd(g3, TOps.Subtract(TOps.Load(x + (3 * Stripes.Count)), m), p3);
                }

                for (int rest = 0; pixel < a.Pixels; pixel++, rest++, x += Stripes.Count, dy += Stripes.Count)
                {
                    TVector g = TOps.And(TOps.Load(dy), mask), d = TOps.Subtract(TOps.Load(x), m);
                    ref TVector s = ref rest == 0 ? ref s0 : ref rest == 1 ? ref s1 : ref s2;
                    ref TVector p = ref rest == 0 ? ref p0 : ref rest == 1 ? ref p1 : ref p2;
                    s = TOps.Add(s, g);
                    p = TOps.FusedMultiplyAdd(g, d, p);
                }
            }

            TOps.Store(TOps.Add(TOps.Add(s0, s1), TOps.Add(s2, s3)), sums + lane);
            TOps.Store(TOps.Add(TOps.Add(p0, p1), TOps.Add(p2, p3)), products + lane);
        }
    }

    private static unsafe void Apply<TVector, TOps>(in BatchNormArguments a, nint first, float mean, float scale, float slope, float offset)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* masks = stackalloc float[Stripes.Count];
        TVector m = TOps.Broadcast(mean), k = TOps.Broadcast(scale), s = TOps.Broadcast(slope), o = TOps.Broadcast(offset);
        for (int block = 0; block < a.Blocks; block++)
        {
            nint start = first + (block * a.BlockStride);
            a.WriteMask(block, masks);
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
            {
                TVector mask = TOps.Load(masks + lane);
                float* x = a.X + start + lane, dy = a.Dy + start + lane, dx = a.Dx + start + lane;
                for (int pixel = 0; pixel < a.Pixels; pixel++, x += Stripes.Count, dy += Stripes.Count, dx += Stripes.Count)
                {
                    TVector rest = TOps.FusedMultiplyAdd(s, TOps.Subtract(TOps.Load(x), m), o);
                    TOps.Store(TOps.And(TOps.FusedMultiplyAdd(k, TOps.Load(dy), rest), mask), dx);
                }
            }
        }
    }
}
