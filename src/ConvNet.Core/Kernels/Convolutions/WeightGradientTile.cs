using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Convolutions;

/// <summary>
/// One tile of a gradient by weight: <c>S[r, t] = Σ over blocks, lines, pixels of Dy[r] × X[t]</c>, 16 stripes each, not yet folded.
/// </summary>
internal unsafe struct WeightGradientOperands
{
    /// <summary>Taps of a tile at most.</summary>
    public const int MostTaps = 6;

    /// <summary>Output channels of a tile at most.</summary>
    public const int MostRows = 4;

    /// <summary>dy at the first pixel of the first line, and the floats from one output channel, line and block to the next.</summary>
    public float* Dy;
    public nint DyChannel, DyLine, DyBlock;

    /// <summary>x at place 0 of the first line's row, and the floats from one pixel, line and block to the next.</summary>
    public float* X;
    public nint XPixel, XLine, XBlock;

    /// <summary>16-sample blocks, lines of dy, pixels of a line.</summary>
    public int Blocks, Lines, Pixels;

    /// <summary>Pixels at which every tap of the tile lies inside the image.</summary>
    public int InsideFirst, InsideEnd;

    /// <summary>For each tap, floats from X to what it reads at pixel 0; and the pixels at which it lies inside the image.</summary>
    public fixed int TapOffset[MostTaps];
    public fixed int TapFirst[MostTaps];
    public fixed int TapEnd[MostTaps];

    /// <summary>Where the sums go: <c>[4][6][16]</c>.</summary>
    public float* Stripes;

    /// <summary>Whether a tap lies inside the image at a pixel.</summary>
    public readonly bool Inside(int tap, int pixel) => pixel >= TapFirst[tap] && pixel < TapEnd[tap];
}

/// <summary>The tile at one vector width.</summary>
internal static unsafe partial class WeightGradientTile<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    private const int NarrowRows = 2;

    /// <summary>Computes the tile's sums.</summary>
    /// <param name="rows">Output channels, 1…4.</param>
    /// <param name="taps">Taps, 1…6.</param>
    /// <param name="p">The operands.</param>
    public static void Run(int rows, int taps, in WeightGradientOperands p)
    {
        if (TOps.Count == Stripes.Count)
        {
            Rows(rows, taps, in p, lane: 0);
            return;
        }

        // Narrower vectors come with 16 registers on x86: two rows at a time, 12 sums.
        WeightGradientOperands part = p;
        for (int row = 0; row < rows; row += NarrowRows)
        {
            part.Dy = p.Dy + (row * p.DyChannel);
            part.Stripes = p.Stripes + (row * WeightGradientOperands.MostTaps * Stripes.Count);
            for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                Rows(Math.Min(NarrowRows, rows - row), taps, in part, lane);
        }
    }

    private static void Rows(int rows, int taps, in WeightGradientOperands p, int lane)
    {
        switch (rows)
        {
            case 1: Rows<N1>(taps, in p, lane); break;
            case 2: Rows<N2>(taps, in p, lane); break;
            case 3: Rows<N3>(taps, in p, lane); break;
            default: Rows<N4>(taps, in p, lane); break;
        }
    }

    private static void Rows<TRows>(int taps, in WeightGradientOperands p, int lane)
        where TRows : struct, IConstant
    {
        switch (taps)
        {
            case 1: Registers<TRows, N1>(in p, lane); break;
            case 2: Registers<TRows, N2>(in p, lane); break;
            case 3: Registers<TRows, N3>(in p, lane); break;
            case 4: Registers<TRows, N4>(in p, lane); break;
            case 5: Registers<TRows, N5>(in p, lane); break;
            default: Registers<TRows, N6>(in p, lane); break;
        }
    }
}
