using ConvNet.Core.Kernels.Normalisation;
using ConvNet.Core.Layers;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>Local response normalisation over channel lanes: one sample's planes <c>[C/16][pixels][16]</c>.</summary>
/// <remarks>
/// A pixel's channels are brought together into one line with zeros on both sides; a window's sum is then as many loads, each a channel further on.
/// <b>Canonical order</b>: that of <see cref="LocalResponseArguments"/>: over the window's channels ascending from +0, zeros for channels that are not there.
/// </remarks>
internal static unsafe class ChannelLocalResponse
{
    /// <summary>Floats of scratch: three lines.</summary>
    public static int ScratchLength(int channels, int size) => 3 * Line(channels, size);

    /// <summary>Floats of a line: the channels, and on each side at least a window rounded up to whole vectors.</summary>
    public static int Line(int channels, int size) => (Extent.Groups(channels) + (2 * Extent.Groups(size))) * Stripes.Count;

    /// <summary>Puts a pixel's channels in a line; those that are not there are zeros already.</summary>
    public static void Gather<TVector, TOps>(float* pixel, nint plane, int groups, float* line)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int group = 0; group < groups; group++, pixel += plane, line += Stripes.Count)
        {
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                TOps.Store(TOps.Load(pixel + lane), line + lane);
        }
    }
}

/// <summary>y = x·s^−β.</summary>
internal readonly struct ChannelLocalResponseForward : IKernel<LocalResponseArguments>
{
    public static unsafe void Run<TVector, TOps>(in LocalResponseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int groups = Extent.Groups(a.Channels), size = a.Size, line = ChannelLocalResponse.Line(a.Channels, size);
        float* channels = a.Scratch + (Extent.Groups(size) * Stripes.Count);
        new Span<float>(a.Scratch, line).Clear();
        TVector share = TOps.Broadcast(a.Share), k = TOps.Broadcast(a.K);
        for (int pixel = 0; pixel < a.Pixels; pixel++)
        {
            nint at = (nint)pixel * Stripes.Count;
            ChannelLocalResponse.Gather<TVector, TOps>(a.X + at, a.Plane, groups, channels);
            for (int c = 0; c < groups * Stripes.Count; c += TOps.Count)
            {
                TVector sum = default;
                for (int i = -(size / 2); i < (size + 1) / 2; i++)
                {
                    TVector x = TOps.Load(channels + c + i);
                    sum = TOps.FusedMultiplyAdd(x, x, sum);
                }

                TVector power = LocalResponse<TVector, TOps>.Power(TOps.FusedMultiplyAdd(share, sum, k), a.Beta);
                TOps.Store(TOps.Multiply(TOps.Load(channels + c), power), a.Y + at + ((nint)c / Stripes.Count * a.Plane) + (c % Stripes.Count));
            }
        }
    }
}

/// <summary>dx = dy·s^−β − 2·β·α / n · x · Σ dy·x·s^(−β−1) over the channels whose windows see this one.</summary>
internal readonly struct ChannelLocalResponseBackward : IKernel<LocalResponseArguments>
{
    public static unsafe void Run<TVector, TOps>(in LocalResponseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int groups = Extent.Groups(a.Channels), size = a.Size, line = ChannelLocalResponse.Line(a.Channels, size), before = Extent.Groups(size) * Stripes.Count;
        float* channels = a.Scratch + before, terms = channels + line, direct = terms + line;
        new Span<float>(a.Scratch, 3 * line).Clear();
        TVector share = TOps.Broadcast(a.Share), k = TOps.Broadcast(a.K), factor = TOps.Broadcast(-2 * a.Beta * a.Share);
        for (int pixel = 0; pixel < a.Pixels; pixel++)
        {
            nint at = (nint)pixel * Stripes.Count;
            ChannelLocalResponse.Gather<TVector, TOps>(a.X + at, a.Plane, groups, channels);
            for (int c = 0; c < groups * Stripes.Count; c += TOps.Count)
            {
                TVector sum = default;
                for (int i = -(size / 2); i < (size + 1) / 2; i++)
                {
                    TVector x = TOps.Load(channels + c + i);
                    sum = TOps.FusedMultiplyAdd(x, x, sum);
                }

                TVector s = TOps.FusedMultiplyAdd(share, sum, k), power = LocalResponse<TVector, TOps>.Power(s, a.Beta);
                TVector dy = TOps.Load(a.Dy + at + ((nint)c / Stripes.Count * a.Plane) + (c % Stripes.Count));
                TOps.Store(TOps.Multiply(dy, power), direct + c);
                TOps.Store(TOps.Multiply(TOps.Multiply(dy, TOps.Load(channels + c)), TOps.Divide(power, s)), terms + c);
            }

            for (int c = 0; c < groups * Stripes.Count; c += TOps.Count)
            {
                TVector sum = default;
                for (int i = -((size - 1) / 2); i < (size / 2) + 1; i++)
                    sum = TOps.Add(sum, TOps.Load(terms + c + i));
                TVector dx = TOps.FusedMultiplyAdd(TOps.Multiply(factor, TOps.Load(channels + c)), sum, TOps.Load(direct + c));
                TOps.Store(dx, a.Dx + at + ((nint)c / Stripes.Count * a.Plane) + (c % Stripes.Count));
            }
        }
    }
}
