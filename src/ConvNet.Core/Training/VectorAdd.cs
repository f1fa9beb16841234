using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Training;

/// <summary>Adds contributions: the one operation of the sum tree.</summary>
public static class VectorAdd
{
    /// <summary>left += right, element by element; so any slicing gives the same bits.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static unsafe void Into(Span<float> left, ReadOnlySpan<float> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException($"Adds two vectors of one length; got {left.Length} and {right.Length}.");
        fixed (float* a = left, b = right)
            Widest.Run<AddKernel, ElementwiseArguments>(new ElementwiseArguments(a, b, a, left.Length));
    }
}
