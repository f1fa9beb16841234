using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Elementwise;

/// <summary>The gradient of a bias: <c>db[c] = Σ over samples and pixels of dy</c>, over sample lanes.</summary>
/// <remarks>
/// <b>Canonical order</b>: stripe s sums sample s of each block, over blocks ascending and pixels ascending, from +0; then <see cref="Stripes.Fold"/>.
/// Four channels go side by side, because one chain of additions alone would wait for each result.
/// </remarks>
internal readonly unsafe struct ChannelSumArguments(
    float* dy, float* sums, int channels, int pixels, int blocks)
{
    /// <summary><c>[block][C][pixels][16]</c>.</summary>
    public readonly float* Dy = dy;

    /// <summary>C floats, overwritten.</summary>
    public readonly float* Sums = sums;

    /// <summary>C.</summary>
    public readonly int Channels = channels;

    /// <summary>H·W.</summary>
    public readonly int Pixels = pixels;

    /// <summary>Blocks of 16 samples.</summary>
    public readonly int Blocks = blocks;
}

/// <inheritdoc cref="ChannelSumArguments"/>
internal readonly struct ChannelSums : IKernel<ChannelSumArguments>
{
    public static unsafe void Run<TVector, TOps>(in ChannelSumArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        const int Together = 4;
        float* stripes = stackalloc float[Together * Stripes.Count];
        nint plane = (nint)a.Pixels * Stripes.Count;
        for (int channel = 0; channel < a.Channels; channel += Together)
        {
            int count = Math.Min(Together, a.Channels - channel);
            // A group short of four reads its first channel again and leaves those sums unused.
            nint o1 = count > 1 ? plane : 0, o2 = count > 2 ? 2 * plane : 0, o3 = count > 3 ? 3 * plane : 0;
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
            {
                TVector s0 = default, s1 = default, s2 = default, s3 = default;
                for (int block = 0; block < a.Blocks; block++)
                {
                    float* dy = a.Dy + ((((nint)block * a.Channels) + channel) * plane) + lane;
                    for (int pixel = 0; pixel < a.Pixels; pixel++, dy += Stripes.Count)
                    {
                        s0 = TOps.Add(s0, TOps.Load(dy));
                        s1 = TOps.Add(s1, TOps.Load(dy + o1));
                        s2 = TOps.Add(s2, TOps.Load(dy + o2));
                        s3 = TOps.Add(s3, TOps.Load(dy + o3));
                    }
                }

                TOps.Store(s0, stripes + lane);
                TOps.Store(s1, stripes + Stripes.Count + lane);
                TOps.Store(s2, stripes + (2 * Stripes.Count) + lane);
                TOps.Store(s3, stripes + (3 * Stripes.Count) + lane);
            }

            for (int i = 0; i < count; i++)
                a.Sums[channel + i] = Stripes.Fold(stripes + (i * Stripes.Count));
        }
    }
}
