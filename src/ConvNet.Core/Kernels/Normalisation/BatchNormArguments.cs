using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Normalisation;

/// <summary>What the batch normalisation kernels work on: planes <c>[block][C][pixels][16]</c>, and numbers of each channel.</summary>
/// <remarks>
/// <b>Canonical order</b> of a channel's sum: stripe s sums sample s of each block, in four running sums by pixel mod 4, over blocks ascending and
/// pixels ascending, from +0; the four are added as (0 + 1) + (2 + 3); then <see cref="Stripes.Fold"/>. Lanes without a sample count as +0.
/// </remarks>
internal readonly unsafe struct BatchNormArguments
{
    /// <summary>x.</summary>
    public float* X { get; init; }

    /// <summary>y, overwritten forward.</summary>
    public float* Y { get; init; }

    /// <summary>dy.</summary>
    public float* Dy { get; init; }

    /// <summary>dx, overwritten; may be <see cref="Dy"/>; null where nobody needs it.</summary>
    public float* Dx { get; init; }

    /// <summary>γ, C floats.</summary>
    public float* Gamma { get; init; }

    /// <summary>β, C floats.</summary>
    public float* Beta { get; init; }

    /// <summary>dγ, C floats, overwritten.</summary>
    public float* GammaGradient { get; init; }

    /// <summary>dβ, C floats, overwritten.</summary>
    public float* BetaGradient { get; init; }

    /// <summary>The mean that is taken off, C floats.</summary>
    public float* Mean { get; init; }

    /// <summary>1 / √(variance + ε), C floats.</summary>
    public float* InverseDeviation { get; init; }

    /// <summary>The variance, C floats: over n − 1 in training, where it is written.</summary>
    public float* Variance { get; init; }

    /// <summary>ε.</summary>
    public float Epsilon { get; init; }

    /// <summary>Whether max(0, ·) is the last forward step.</summary>
    public bool Rectify { get; init; }

    /// <summary>C.</summary>
    public int Channels { get; init; }

    /// <summary>The first channel of those that a forward kernel works on; over channel lanes the first of a group of 16.</summary>
    public int FirstChannel { get; init; }

    /// <summary>One past the last.</summary>
    public int EndChannel { get; init; }

    /// <summary>H·W.</summary>
    public int Pixels { get; init; }

    /// <summary>Blocks of 16 samples.</summary>
    public int Blocks { get; init; }

    /// <summary>Samples: those of the last block beyond are not there.</summary>
    public int Samples { get; init; }

    /// <summary>Floats from a channel of one block to the same of the next.</summary>
    public nint BlockStride => (nint)Channels * Pixels * Stripes.Count;

    /// <summary>Writes 16 masks: all bits set for the lanes of a block that hold a sample, none for the others.</summary>
    public void WriteMask(int block, float* mask)
    {
        int samples = Samples - (block * Stripes.Count);
        for (int lane = 0; lane < Stripes.Count; lane++)
            mask[lane] = BitConverter.Int32BitsToSingle(lane < samples ? -1 : 0);
    }
}
