using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Core.Simd;

/// <summary>The canonical horizontal sum: 16 running sums, folded in one fixed tree.</summary>
/// <remarks>
/// <code>
/// 16 stripes → 8: s[i] + s[i+8] → 4: s[i] + s[i+4] → 2: s[i] + s[i+2] → 1: s[0] + s[1]
/// </code>
/// Sixteen is the width of the widest vector in use, so a Vector512 holds all stripes, a Vector256 half and a Vector128 a quarter
/// of them, and all of them add the same numbers in the same order.
/// </remarks>
internal static unsafe class Stripes
{
    /// <summary>Stripes of a sum, lanes of a column, samples of a block: 16, on every machine.</summary>
    public const int Count = 16;

    /// <summary>The sum of 16 stripes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fold(float* s)
    {
        float a0 = (s[0] + s[8]) + (s[4] + s[12]), a1 = (s[1] + s[9]) + (s[5] + s[13]);
        float a2 = (s[2] + s[10]) + (s[6] + s[14]), a3 = (s[3] + s[11]) + (s[7] + s[15]);
        return (a0 + a2) + (a1 + a3);
    }

    /// <summary>Four sums of 16 stripes each, one after the other in memory: the same tree as <see cref="Fold"/>, four at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fold4(float* s, float* sums)
    {
        Vector128<float> a = Quarter(s), b = Quarter(s + Count), c = Quarter(s + (2 * Count)), d = Quarter(s + (3 * Count));
        Transpose4.Turn(ref a, ref b, ref c, ref d);
        ((a + c) + (b + d)).Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Quarter(float* s) =>
        (Vector128.Load(s) + Vector128.Load(s + 8)) + (Vector128.Load(s + 4) + Vector128.Load(s + 12));
}
