using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Normalisation;

/// <summary>One 16-sample block of local response normalisation: planes <c>[C][pixels][16]</c>.</summary>
/// <remarks>
/// <b>Canonical order</b>: a window's sum runs over its channels ascending, from +0. The backward pass takes
/// <see cref="Together"/> pixels through all channels before the next ones, so that what it keeps of them in between is small and stays in the cache.
/// </remarks>
internal readonly unsafe struct LocalResponseArguments
{
    /// <summary>Pixels that go backward through all channels together: some hundred kilobytes.</summary>
    public const int Together = 16;

    /// <summary>x.</summary>
    public float* X { get; init; }

    /// <summary>y, overwritten forward.</summary>
    public float* Y { get; init; }

    /// <summary>dy.</summary>
    public float* Dy { get; init; }

    /// <summary>dx, overwritten backward.</summary>
    public float* Dx { get; init; }

    /// <summary>Backward: <see cref="ScratchLength"/> floats.</summary>
    public float* Scratch { get; init; }

    /// <summary>C.</summary>
    public int Channels { get; init; }

    /// <summary>H·W.</summary>
    public int Pixels { get; init; }

    /// <summary>n, channels of a window.</summary>
    public int Size { get; init; }

    /// <summary>α / n.</summary>
    public float Share { get; init; }

    /// <summary>β.</summary>
    public float Beta { get; init; }

    /// <summary>k.</summary>
    public float K { get; init; }

    /// <summary>Floats of a channel.</summary>
    public nint Plane => (nint)Pixels * Stripes.Count;

    /// <summary>Floats of scratch for so many channels.</summary>
    public static int ScratchLength(int channels) => channels * Together * Stripes.Count;

    /// <summary>The first channel of the window around a channel, and the one after its last.</summary>
    public (int First, int End) Around(int channel) => (Math.Max(0, channel - (Size / 2)), Math.Min(Channels, channel + ((Size + 1) / 2)));

    /// <summary>The channels whose windows see a channel.</summary>
    public (int First, int End) Seeing(int channel) => (Math.Max(0, channel - ((Size - 1) / 2)), Math.Min(Channels, channel + (Size / 2) + 1));
}

/// <summary>s = k + α / n · Σ x² over the window, and s to the power of −β.</summary>
internal static unsafe class LocalResponse<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    public static TVector Scale(in LocalResponseArguments a, int first, int end, nint at)
    {
        TVector sum = default;
        for (int c = first; c < end; c++)
        {
            TVector x = TOps.Load(a.X + (c * a.Plane) + at);
            sum = TOps.FusedMultiplyAdd(x, x, sum);
        }

        return TOps.FusedMultiplyAdd(TOps.Broadcast(a.Share), sum, TOps.Broadcast(a.K));
    }

    /// <summary>s^−β: by square roots for the ¾ of the paper, else by exp and log.</summary>
    public static TVector Power(TVector s, float beta)
    {
        if (beta == 0.75f)
        {
            TVector root = TOps.Sqrt(s);
            return TOps.Divide(TOps.Broadcast(1), TOps.Multiply(root, TOps.Sqrt(root)));
        }

        return Elementary<TVector, TOps>.Exp(TOps.Multiply(TOps.Broadcast(-beta), Elementary<TVector, TOps>.Log(s)));
    }
}

/// <summary>y = x·s^−β.</summary>
internal readonly struct LocalResponseForward : IKernel<LocalResponseArguments>
{
    public static unsafe void Run<TVector, TOps>(in LocalResponseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int channel = 0; channel < a.Channels; channel++)
        {
            (int first, int end) = a.Around(channel);
            float* x = a.X + (channel * a.Plane), y = a.Y + (channel * a.Plane);
            for (nint i = 0; i < a.Plane; i += TOps.Count)
            {
                TVector s = LocalResponse<TVector, TOps>.Scale(in a, first, end, i);
                TOps.Store(TOps.Multiply(TOps.Load(x + i), LocalResponse<TVector, TOps>.Power(s, a.Beta)), y + i);
            }
        }
    }
}

/// <summary>dx = dy·s^−β − 2·β·α / n · x · Σ dy·x·s^(−β−1) over the channels whose windows see this one.</summary>
internal readonly struct LocalResponseBackward : IKernel<LocalResponseArguments>
{
    public static unsafe void Run<TVector, TOps>(in LocalResponseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        const int Run = LocalResponseArguments.Together * Stripes.Count;
        TVector factor = TOps.Broadcast(-2 * a.Beta * a.Share);
        for (nint start = 0; start < a.Plane; start += Run)
        {
            nint stop = Math.Min(start + Run, a.Plane);
            float* terms = a.Scratch - start;
            for (int channel = 0; channel < a.Channels; channel++)
            {
                (int first, int end) = a.Around(channel);
                for (nint i = start; i < stop; i += TOps.Count)
                {
                    nint at = (channel * a.Plane) + i;
                    TVector s = LocalResponse<TVector, TOps>.Scale(in a, first, end, i), power = LocalResponse<TVector, TOps>.Power(s, a.Beta);
                    TVector dy = TOps.Load(a.Dy + at);
                    TOps.Store(TOps.Multiply(dy, power), a.Dx + at);
                    TOps.Store(TOps.Multiply(TOps.Multiply(dy, TOps.Load(a.X + at)), TOps.Divide(power, s)), terms + (channel * Run) + i);
                }
            }

            for (int channel = 0; channel < a.Channels; channel++)
            {
                (int first, int end) = a.Seeing(channel);
                for (nint i = start; i < stop; i += TOps.Count)
                {
                    nint at = (channel * a.Plane) + i;
                    TVector sum = default;
                    for (int c = first; c < end; c++)
                        sum = TOps.Add(sum, TOps.Load(terms + (c * Run) + i));
                    TOps.Store(TOps.FusedMultiplyAdd(TOps.Multiply(factor, TOps.Load(a.X + at)), sum, TOps.Load(a.Dx + at)), a.Dx + at);
                }
            }
        }
    }
}
