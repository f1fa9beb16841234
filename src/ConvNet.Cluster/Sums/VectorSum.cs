using System.Numerics;
using System.Runtime.InteropServices;

namespace ConvNet.Cluster.Sums;

/// <summary>left += right, element by element: the one addition of the tree.</summary>
/// <remarks>Each element is one rounding of one addition, so vector width cannot change the bits.</remarks>
public static class VectorSum
{
    /// <summary>Adds <paramref name="right"/> to <paramref name="left"/>.</summary>
    public static void AddInto(Span<float> left, ReadOnlySpan<float> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException($"A sum takes two vectors of one length; got {left.Length} and {right.Length}.");

        var l = MemoryMarshal.Cast<float, Vector<float>>(left);
        var r = MemoryMarshal.Cast<float, Vector<float>>(right);
        for (int i = 0; i < l.Length; i++)
            l[i] += r[i];
        for (int i = l.Length * Vector<float>.Count; i < left.Length; i++)
            left[i] += right[i];
    }
}
