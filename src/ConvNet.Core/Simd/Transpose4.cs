using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ConvNet.Core.Simd;

/// <summary>Turns a square of 4 × 4 floats: rows become columns. Moves numbers, computes nothing.</summary>
internal static unsafe class Transpose4
{
    /// <summary>Turns a square in memory.</summary>
    /// <param name="from">Its first row.</param>
    /// <param name="fromStep">Floats from row to row.</param>
    /// <param name="to">Where the first column goes, as a row.</param>
    /// <param name="toStep">Floats from row to row there.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turn(float* from, nint fromStep, float* to, nint toStep)
    {
        Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + fromStep);
        Vector128<float> c = Vector128.Load(from + (2 * fromStep)), d = Vector128.Load(from + (3 * fromStep));
        Turn(ref a, ref b, ref c, ref d);
        a.Store(to);
        b.Store(to + toStep);
        c.Store(to + (2 * toStep));
        d.Store(to + (3 * toStep));
    }

    /// <summary>Four rows at even distances; the columns go to four places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows(float* from, nint fromStep, float* toA, float* toB, float* toC, float* toD)
    {
        Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + fromStep);
        Vector128<float> c = Vector128.Load(from + (2 * fromStep)), d = Vector128.Load(from + (3 * fromStep));
        Turn(ref a, ref b, ref c, ref d);
        a.Store(toA);
        b.Store(toB);
        c.Store(toC);
        d.Store(toD);
    }

    /// <summary>Four rows at four places; the columns go to even distances.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Columns(float* fromA, float* fromB, float* fromC, float* fromD, float* to, nint toStep)
    {
        Vector128<float> a = Vector128.Load(fromA), b = Vector128.Load(fromB), c = Vector128.Load(fromC), d = Vector128.Load(fromD);
        Turn(ref a, ref b, ref c, ref d);
        a.Store(to);
        b.Store(to + toStep);
        c.Store(to + (2 * toStep));
        d.Store(to + (3 * toStep));
    }

    /// <summary>Turns a square of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turn(ref Vector128<float> a, ref Vector128<float> b, ref Vector128<float> c, ref Vector128<float> d)
    {
        if (Sse.IsSupported)
        {
            Vector128<float> ab0 = Sse.UnpackLow(a, b), ab1 = Sse.UnpackHigh(a, b), cd0 = Sse.UnpackLow(c, d), cd1 = Sse.UnpackHigh(c, d);
            (a, b, c, d) = (Sse.MoveLowToHigh(ab0, cd0), Sse.MoveHighToLow(cd0, ab0), Sse.MoveLowToHigh(ab1, cd1), Sse.MoveHighToLow(cd1, ab1));
        }
        else
        {
            (a, b, c, d) = (Column(0, a, b, c, d), Column(1, a, b, c, d), Column(2, a, b, c, d), Column(3, a, b, c, d));
        }
    }

    private static Vector128<float> Column(int i, Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) =>
        Vector128.Create(a[i], b[i], c[i], d[i]);
}
