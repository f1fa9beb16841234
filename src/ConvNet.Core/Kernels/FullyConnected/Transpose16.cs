using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.FullyConnected;

/// <summary>Turns <c>[F][16]</c> (16 samples side by side) into <c>[16][F]</c> (one sample after the other). Moves numbers, computes nothing.</summary>
internal static unsafe class Transpose16
{
    /// <summary>Transposes, and fills each row up to <paramref name="width"/> with zeros.</summary>
    /// <param name="source"><c>[features][16]</c>.</param>
    /// <param name="features">F.</param>
    /// <param name="destination"><c>[16][width]</c>.</param>
    /// <param name="width">At least <paramref name="features"/>.</param>
    public static void Rows(float* source, int features, float* destination, int width)
    {
        int f = 0;
        if (Sse.IsSupported)
        {
            for (; f + 4 <= features; f += 4)
            {
                for (int lane = 0; lane < Stripes.Count; lane += 4)
                    Square(source + (f * Stripes.Count) + lane, destination + ((nint)lane * width) + f, width);
            }
        }

        for (; f < width; f++)
        {
            for (int lane = 0; lane < Stripes.Count; lane++)
                destination[((nint)lane * width) + f] = f < features ? source[(f * Stripes.Count) + lane] : 0;
        }
    }

    private static void Square(float* source, float* destination, nint width)
    {
        Vector128<float> a = Vector128.Load(source), b = Vector128.Load(source + Stripes.Count);
        Vector128<float> c = Vector128.Load(source + (2 * Stripes.Count)), d = Vector128.Load(source + (3 * Stripes.Count));
        Vector128<float> ab0 = Sse.UnpackLow(a, b), ab1 = Sse.UnpackHigh(a, b), cd0 = Sse.UnpackLow(c, d), cd1 = Sse.UnpackHigh(c, d);
        Sse.MoveLowToHigh(ab0, cd0).Store(destination);
        Sse.MoveHighToLow(cd0, ab0).Store(destination + width);
        Sse.MoveLowToHigh(ab1, cd1).Store(destination + (2 * width));
        Sse.MoveHighToLow(cd1, ab1).Store(destination + (3 * width));
    }
}
