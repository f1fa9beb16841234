using ConvNet.Core.Layers;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>The gradient of a bias over channel lanes: <c>db[c] = Σ over samples and pixels of dy</c>, dy <c>[N][C/16][pixels][16]</c>.</summary>
/// <remarks><b>Canonical order</b>: four running sums by pixel mod 4 over samples ascending and pixels ascending, from +0; then (0 + 1) + (2 + 3).</remarks>
internal readonly unsafe struct ChannelBiasArguments(float* dy, float* sums, int channels, int pixels, int samples)
{
    public readonly float* Dy = dy;

    /// <summary>C floats, overwritten.</summary>
    public readonly float* Sums = sums;

    public readonly int Channels = channels, Pixels = pixels, Samples = samples;
}

/// <inheritdoc cref="ChannelBiasArguments"/>
internal readonly struct ChannelBiasGradient : IKernel<ChannelBiasArguments>
{
    public static unsafe void Run<TVector, TOps>(in ChannelBiasArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* sums = stackalloc float[Stripes.Count];
        int groups = Extent.Groups(a.Channels);
        nint plane = (nint)a.Pixels * Stripes.Count;
        for (int group = 0; group < groups; group++)
        {
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
            {
                TVector s0 = default, s1 = default, s2 = default, s3 = default;
                for (int sample = 0; sample < a.Samples; sample++)
                {
                    float* dy = a.Dy + ((((nint)sample * groups) + group) * plane) + lane;
                    int pixel = 0;
                    for (; pixel <= a.Pixels - 4; pixel += 4, dy += 4 * Stripes.Count)
                    {
                        s0 = TOps.Add(s0, TOps.Load(dy));
                        s1 = TOps.Add(s1, TOps.Load(dy + Stripes.Count));
                        s2 = TOps.Add(s2, TOps.Load(dy + (2 * Stripes.Count)));
                        s3 = TOps.Add(s3, TOps.Load(dy + (3 * Stripes.Count)));
                    }

                    if (pixel < a.Pixels)
                        s0 = TOps.Add(s0, TOps.Load(dy));
                    if (pixel + 1 < a.Pixels)
                        s1 = TOps.Add(s1, TOps.Load(dy + Stripes.Count));
                    if (pixel + 2 < a.Pixels)
                        s2 = TOps.Add(s2, TOps.Load(dy + (2 * Stripes.Count)));
                }

                TOps.Store(TOps.Add(TOps.Add(s0, s1), TOps.Add(s2, s3)), sums + lane);
            }

            ChannelBatchNorm.FromLanes(sums, a.Channels, group, a.Sums);
        }
    }
}
