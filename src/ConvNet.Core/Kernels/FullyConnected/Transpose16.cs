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
        for (; f + 4 <= features; f += 4)
        {
            for (int lane = 0; lane < Stripes.Count; lane += 4)
                Transpose4.Turn(source + (f * Stripes.Count) + lane, Stripes.Count, destination + ((nint)lane * width) + f, width);
        }

        for (; f < width; f++)
        {
            for (int lane = 0; lane < Stripes.Count; lane++)
                destination[((nint)lane * width) + f] = f < features ? source[(f * Stripes.Count) + lane] : 0;
        }
    }
}
