using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Losses;

/// <summary>The gradient through a softmax: dz = p·(dp − Σ dp·p), classes ascending in the sum by fused multiply-adds from +0.</summary>
internal readonly unsafe struct SoftmaxGradientArguments(float* probabilities, float* dp, float* dz, int classes, int blocks, int pixels)
{
    /// <summary>p <c>[block][classes][pixels][16]</c>.</summary>
    public readonly float* Probabilities = probabilities;

    /// <summary>Gradient by p, same shape.</summary>
    public readonly float* Dp = dp;

    /// <summary>Gradient by z, same shape, overwritten; may be <see cref="Dp"/>.</summary>
    public readonly float* Dz = dz;

    /// <summary>Classes.</summary>
    public readonly int Classes = classes;

    /// <summary>Blocks of 16 samples.</summary>
    public readonly int Blocks = blocks;

    /// <summary>Pixels, each with a softmax of its own.</summary>
    public readonly int Pixels = pixels;
}

/// <inheritdoc cref="SoftmaxGradientArguments"/>
internal readonly struct SoftmaxBackward : IKernel<SoftmaxGradientArguments>
{
    public static unsafe void Run<TVector, TOps>(in SoftmaxGradientArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        nint line = (nint)a.Pixels * Stripes.Count;
        for (int block = 0; block < a.Blocks; block++)
        {
            for (nint lane = 0; lane < line; lane += TOps.Count)
            {
                nint start = (block * a.Classes * line) + lane;
                float* p = a.Probabilities + start, dp = a.Dp + start, dz = a.Dz + start;
                TVector sum = default;
                for (int c = 0; c < a.Classes; c++)
                    sum = TOps.FusedMultiplyAdd(TOps.Load(dp + (c * line)), TOps.Load(p + (c * line)), sum);
                for (int c = 0; c < a.Classes; c++)
                    TOps.Store(TOps.Multiply(TOps.Load(p + (c * line)), TOps.Subtract(TOps.Load(dp + (c * line)), sum)), dz + (c * line));
            }
        }
    }
}
