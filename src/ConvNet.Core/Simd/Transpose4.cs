using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ConvNet.Core.Simd;

/// <summary>Turns a square of 4 × 4 floats: rows become columns. Moves numbers, computes nothing.</summary>
internal static unsafe class Transpose4
{
    /// <summary>Turns the square.</summary>
    /// <param name="from">Its first row.</param>
    /// <param name="fromStep">Floats from row to row.</param>
    /// <param name="to">Where the first column goes, as a row.</param>
    /// <param name="toStep">Floats from row to row there.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turn(float* from, nint fromStep, float* to, nint toStep)
    {
        if (!Sse.IsSupported)
        {
            for (int i = 0; i < 16; i++)
                to[(i % 4 * toStep) + (i / 4)] = from[(i / 4 * fromStep) + (i % 4)];
            return;
        }

        Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + fromStep);
        Vector128<float> c = Vector128.Load(from + (2 * fromStep)), d = Vector128.Load(from + (3 * fromStep));
        Vector128<float> ab0 = Sse.UnpackLow(a, b), ab1 = Sse.UnpackHigh(a, b), cd0 = Sse.UnpackLow(c, d), cd1 = Sse.UnpackHigh(c, d);
        Sse.MoveLowToHigh(ab0, cd0).Store(to);
        Sse.MoveHighToLow(cd0, ab0).Store(to + toStep);
        Sse.MoveLowToHigh(ab1, cd1).Store(to + (2 * toStep));
        Sse.MoveHighToLow(cd1, ab1).Store(to + (3 * toStep));
    }
}
