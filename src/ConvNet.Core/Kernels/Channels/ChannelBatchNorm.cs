using ConvNet.Core.Kernels.Normalisation;
using ConvNet.Core.Layers;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>Batch normalisation over channel lanes: planes <c>[N][C/16][pixels][16]</c>.</summary>
/// <remarks>
/// <b>Canonical order</b> of a channel's sum: four running sums by pixel mod 4, over samples ascending and pixels ascending, from +0; then (0 + 1) + (2 + 3).
/// Every lane is a channel, so nothing is folded across lanes. <see cref="BatchNormArguments.Mean"/> and
/// <see cref="BatchNormArguments.InverseDeviation"/> are filled up to whole vectors, as are γ and β here; the other numbers of each channel are C floats.
/// </remarks>
internal static unsafe class ChannelBatchNorm
{
    /// <summary>16 numbers of a group of channels, those that are not there as 0.</summary>
    public static void Lanes(float* values, int channels, int group, float* lanes)
    {
        for (int lane = 0; lane < Stripes.Count; lane++)
            lanes[lane] = (group * Stripes.Count) + lane < channels ? values[(group * Stripes.Count) + lane] : 0;
    }

    /// <summary>The channels of a group that are there, from its 16 numbers.</summary>
    public static void FromLanes(float* lanes, int channels, int group, float* values)
    {
        for (int lane = 0; lane < Math.Min(Stripes.Count, channels - (group * Stripes.Count)); lane++)
            values[(group * Stripes.Count) + lane] = lanes[lane];
    }
}

/// <summary>The statistics of each channel: mean = Σx / n, variance = Σ(x − mean)² / n, in two passes because one would cancel.</summary>
internal readonly struct ChannelBatchNormStatistics : IKernel<BatchNormArguments>
{
    public static unsafe void Run<TVector, TOps>(in BatchNormArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* variances = stackalloc float[Stripes.Count];
        int groups = Extent.Groups(a.Channels);
        float count = (float)a.Samples * a.Pixels;
        TVector n = TOps.Broadcast(count), rest = TOps.Broadcast(Math.Max(1, count - 1)), epsilon = TOps.Broadcast(a.Epsilon), one = TOps.Broadcast(1);
        for (int group = a.FirstChannel / Stripes.Count; group < Extent.Groups(a.EndChannel); group++)
        {
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
            {
                TVector mean = TOps.Divide(Sum<TVector, TOps>(in a, groups, group, lane), n);
                TVector squares = Squares<TVector, TOps>(in a, groups, group, lane, mean);
                TOps.Store(mean, a.Mean + (group * Stripes.Count) + lane);
                TOps.Store(TOps.Divide(one, TOps.Sqrt(TOps.Add(TOps.Divide(squares, n), epsilon))), a.InverseDeviation + (group * Stripes.Count) + lane);
                TOps.Store(TOps.Divide(squares, rest), variances + lane);
            }

            ChannelBatchNorm.FromLanes(variances, a.Channels, group, a.Variance);
        }
    }

    private static unsafe TVector Sum<TVector, TOps>(in BatchNormArguments a, int groups, int group, int lane)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector s0 = default, s1 = default, s2 = default, s3 = default;
        nint plane = (nint)a.Pixels * Stripes.Count;
        for (int sample = 0; sample < a.Samples; sample++)
        {
            float* x = a.X + ((((nint)sample * groups) + group) * plane) + lane;
            int pixel = 0;
            for (; pixel <= a.Pixels - 4; pixel += 4, x += 4 * Stripes.Count)
            {
                s0 = TOps.Add(s0, TOps.Load(x));
                s1 = TOps.Add(s1, TOps.Load(x + Stripes.Count));
                s2 = TOps.Add(s2, TOps.Load(x + (2 * Stripes.Count)));
                s3 = TOps.Add(s3, TOps.Load(x + (3 * Stripes.Count)));
            }

            if (pixel < a.Pixels)
                s0 = TOps.Add(s0, TOps.Load(x));
            if (pixel + 1 < a.Pixels)
                s1 = TOps.Add(s1, TOps.Load(x + Stripes.Count));
            if (pixel + 2 < a.Pixels)
                s2 = TOps.Add(s2, TOps.Load(x + (2 * Stripes.Count)));
        }

        return TOps.Add(TOps.Add(s0, s1), TOps.Add(s2, s3));
    }

    private static unsafe TVector Squares<TVector, TOps>(in BatchNormArguments a, int groups, int group, int lane, TVector mean)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector s0 = default, s1 = default, s2 = default, s3 = default;
        nint plane = (nint)a.Pixels * Stripes.Count;
        for (int sample = 0; sample < a.Samples; sample++)
        {
            float* x = a.X + ((((nint)sample * groups) + group) * plane) + lane;
            int pixel = 0;
            for (; pixel <= a.Pixels - 4; pixel += 4, x += 4 * Stripes.Count)
            {
                TVector d0 = TOps.Subtract(TOps.Load(x), mean), d1 = TOps.Subtract(TOps.Load(x + Stripes.Count), mean);
                TVector d2 = TOps.Subtract(TOps.Load(x + (2 * Stripes.Count)), mean), d3 = TOps.Subtract(TOps.Load(x + (3 * Stripes.Count)), mean);
                s0 = TOps.FusedMultiplyAdd(d0, d0, s0);
                s1 = TOps.FusedMultiplyAdd(d1, d1, s1);
                s2 = TOps.FusedMultiplyAdd(d2, d2, s2);
                s3 = TOps.FusedMultiplyAdd(d3, d3, s3);
            }

            for (int rest = 0; pixel < a.Pixels; pixel++, rest++, x += Stripes.Count)
            {
                TVector d = TOps.Subtract(TOps.Load(x), mean);
                if (rest == 0)
                    s0 = TOps.FusedMultiplyAdd(d, d, s0);
                else if (rest == 1)
                    s1 = TOps.FusedMultiplyAdd(d, d, s1);
                else
                    s2 = TOps.FusedMultiplyAdd(d, d, s2);
            }
        }

        return TOps.Add(TOps.Add(s0, s1), TOps.Add(s2, s3));
    }
}

/// <summary>y = (x − mean)·(γ / deviation) + β, the scale rounded once for each channel.</summary>
internal readonly struct ChannelBatchNormApply : IKernel<BatchNormArguments>
{
    public static unsafe void Run<TVector, TOps>(in BatchNormArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* gammas = stackalloc float[Stripes.Count], betas = stackalloc float[Stripes.Count];
        int groups = Extent.Groups(a.Channels);
        nint plane = (nint)a.Pixels * Stripes.Count;
        for (int group = a.FirstChannel / Stripes.Count; group < Extent.Groups(a.EndChannel); group++)
        {
            ChannelBatchNorm.Lanes(a.Gamma, a.Channels, group, gammas);
            ChannelBatchNorm.Lanes(a.Beta, a.Channels, group, betas);
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
            {
                int at = (group * Stripes.Count) + lane;
                TVector mean = TOps.Load(a.Mean + at), scale = TOps.Multiply(TOps.Load(gammas + lane), TOps.Load(a.InverseDeviation + at));
                TVector beta = TOps.Load(betas + lane);
                for (int sample = 0; sample < a.Samples; sample++)
                {
                    nint first = ((((nint)sample * groups) + group) * plane) + lane;
                    float* x = a.X + first, y = a.Y + first;
                    if (a.Rectify)
                    {
                        for (nint i = 0; i < plane; i += Stripes.Count)
                            TOps.Store(TOps.Rectify(TOps.FusedMultiplyAdd(TOps.Subtract(TOps.Load(x + i), mean), scale, beta)), y + i);
                    }
                    else
                    {
                        for (nint i = 0; i < plane; i += Stripes.Count)
                            TOps.Store(TOps.FusedMultiplyAdd(TOps.Subtract(TOps.Load(x + i), mean), scale, beta), y + i);
                    }
                }
            }
        }
    }
}

/// <summary>The backward pass, as in <see cref="BatchNormBackward"/>.</summary>
internal readonly struct ChannelBatchNormBackward : IKernel<BatchNormArguments>
{
    public static unsafe void Run<TVector, TOps>(in BatchNormArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* betas = stackalloc float[Stripes.Count], gammas = stackalloc float[Stripes.Count], scales = stackalloc float[Stripes.Count];
        int groups = Extent.Groups(a.Channels);
        nint plane = (nint)a.Pixels * Stripes.Count;
        TVector count = TOps.Broadcast((float)a.Samples * a.Pixels);
        for (int group = 0; group < groups; group++)
        {
            ChannelBatchNorm.Lanes(a.Gamma, a.Channels, group, scales);
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
            {
                int at = (group * Stripes.Count) + lane;
                TVector mean = TOps.Load(a.Mean + at), inverse = TOps.Load(a.InverseDeviation + at);
                Sum<TVector, TOps>(in a, groups, group, lane, mean, out TVector beta, out TVector gamma);
                gamma = TOps.Multiply(gamma, inverse);
                TOps.Store(beta, betas + lane);
                TOps.Store(gamma, gammas + lane);
                if (a.Dx == null)
                    continue;

                // dx = scale·dy + slope·(x − mean) + offset
                TVector scale = TOps.Multiply(TOps.Load(scales + lane), inverse);
                TVector slope = TOps.Subtract(default, TOps.Multiply(TOps.Multiply(scale, inverse), TOps.Divide(gamma, count)));
                TVector offset = TOps.Subtract(default, TOps.Multiply(scale, TOps.Divide(beta, count)));
                for (int sample = 0; sample < a.Samples; sample++)
                {
                    nint first = ((((nint)sample * groups) + group) * plane) + lane;
                    float* x = a.X + first, dy = a.Dy + first, dx = a.Dx + first;
                    for (nint i = 0; i < plane; i += Stripes.Count)
                    {
                        TVector rest = TOps.FusedMultiplyAdd(slope, TOps.Subtract(TOps.Load(x + i), mean), offset);
                        TOps.Store(TOps.FusedMultiplyAdd(scale, TOps.Load(dy + i), rest), dx + i);
                    }
                }
            }

            ChannelBatchNorm.FromLanes(betas, a.Channels, group, a.BetaGradient);
            ChannelBatchNorm.FromLanes(gammas, a.Channels, group, a.GammaGradient);
        }
    }

    private static unsafe void Sum<TVector, TOps>(in BatchNormArguments a, int groups, int group, int lane, TVector mean, out TVector sum, out TVector product)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector s0 = default, s1 = default, s2 = default, s3 = default, p0 = default, p1 = default, p2 = default, p3 = default;
        nint plane = (nint)a.Pixels * Stripes.Count;
        for (int sample = 0; sample < a.Samples; sample++)
        {
            nint first = ((((nint)sample * groups) + group) * plane) + lane;
            float* x = a.X + first, dy = a.Dy + first;
            int pixel = 0;
            for (; pixel <= a.Pixels - 4; pixel += 4, x += 4 * Stripes.Count, dy += 4 * Stripes.Count)
            {
                TVector g0 = TOps.Load(dy), g1 = TOps.Load(dy + Stripes.Count), g2 = TOps.Load(dy + (2 * Stripes.Count)), g3 = TOps.Load(dy + (3 * Stripes.Count));
                s0 = TOps.Add(s0, g0);
                s1 = TOps.Add(s1, g1);
                s2 = TOps.Add(s2, g2);
                s3 = TOps.Add(s3, g3);
                p0 = TOps.FusedMultiplyAdd(g0, TOps.Subtract(TOps.Load(x), mean), p0);
                p1 = TOps.FusedMultiplyAdd(g1, TOps.Subtract(TOps.Load(x + Stripes.Count), mean), p1);
                p2 = TOps.FusedMultiplyAdd(g2, TOps.Subtract(TOps.Load(x + (2 * Stripes.Count)), mean), p2);
                p3 = TOps.FusedMultiplyAdd(g3, TOps.Subtract(TOps.Load(x + (3 * Stripes.Count)), mean), p3);
            }

            for (int rest = 0; pixel < a.Pixels; pixel++, rest++, x += Stripes.Count, dy += Stripes.Count)
            {
                TVector g = TOps.Load(dy), d = TOps.Subtract(TOps.Load(x), mean);
                if (rest == 0)
                    (s0, p0) = (TOps.Add(s0, g), TOps.FusedMultiplyAdd(g, d, p0));
                else if (rest == 1)
                    (s1, p1) = (TOps.Add(s1, g), TOps.FusedMultiplyAdd(g, d, p1));
                else
                    (s2, p2) = (TOps.Add(s2, g), TOps.FusedMultiplyAdd(g, d, p2));
            }
        }

        (sum, product) = (TOps.Add(TOps.Add(s0, s1), TOps.Add(s2, s3)), TOps.Add(TOps.Add(p0, p1), TOps.Add(p2, p3)));
    }
}
