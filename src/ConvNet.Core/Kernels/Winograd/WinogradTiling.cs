using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Winograd;

/// <summary>How an output is cut into tiles of 4×4 pixels (windows of 5×5: 2×2), each made from 6×6 pixels of the input, and how the tiles' transforms lie in memory.</summary>
/// <remarks>
/// Transforms are <c>[36][C/16][tiles][16]</c>: for each of the 36 places of a 6×6 square a matrix of tiles by channels. So a convolution is 36 matrix products.
/// Tiles of all samples are numbered through and taken <see cref="Together"/> at a time, so many that their transforms are as large as the weights': then
/// neither is read much more often than the other.
/// </remarks>
internal sealed class WinogradTiling
{
    /// <summary>Pixels along one axis of what a tile is made from.</summary>
    public const int Square = 6;

    /// <summary>Pixels of the largest tile and of the largest window along one axis.</summary>
    public const int MostTile = 4, MostWindow = 5;

    /// <summary>Places of the square.</summary>
    public const int Places = Square * Square;

    // Keeps the 36 matrices off the same cache sets.
    private const int Skew = 5 * 16;

    /// <summary>Cuts.</summary>
    /// <param name="source">The input.</param>
    /// <param name="destination">The output.</param>
    /// <param name="top">Rows of padding above the input.</param>
    /// <param name="left">Columns of padding to its left.</param>
    /// <param name="window">Pixels of the window along one axis: 3 or 5.</param>
    /// <param name="samples">Samples of a micro-batch at most.</param>
    public WinogradTiling(Shape source, Shape destination, int top, int left, int window, int samples)
    {
        (Source, Destination, Top, Left, Window, Tile) = (source, destination, top, left, window, TileOf(window));
        Columns = (destination.Width + Tile - 1) / Tile;
        TilesOfSample = Columns * ((destination.Height + Tile - 1) / Tile);
        int wanted = (int)((long)source.Channels * destination.Channels / (source.Channels + destination.Channels));
        wanted = (Math.Max(wanted, 2 * ProductTile.TallRows) + ProductTile.TallRows - 1) / ProductTile.TallRows * ProductTile.TallRows;
        Together = Math.Min(wanted, checked(TilesOfSample * samples));
        (SourceGroups, DestinationGroups) = (Extent.Groups(source.Channels), Extent.Groups(destination.Channels));
    }

    /// <summary>The input.</summary>
    public Shape Source { get; }

    /// <summary>The output.</summary>
    public Shape Destination { get; }

    /// <summary>Rows of padding above the input.</summary>
    public int Top { get; }

    /// <summary>Columns of padding to the left of the input.</summary>
    public int Left { get; }

    /// <summary>Pixels of the window along one axis.</summary>
    public int Window { get; }

    /// <summary>Pixels of a tile along one axis.</summary>
    public int Tile { get; }

    /// <summary>Tiles of a row of tiles.</summary>
    public int Columns { get; }

    /// <summary>Tiles of a sample.</summary>
    public int TilesOfSample { get; }

    /// <summary>Tiles taken together at most.</summary>
    public int Together { get; }

    /// <summary>Groups of 16 input channels.</summary>
    public int SourceGroups { get; }

    /// <summary>Groups of 16 output channels.</summary>
    public int DestinationGroups { get; }

    /// <summary>Floats from one place's matrix to the next, for tiles of so many groups of channels.</summary>
    public int PlaceStep(int groups) => checked((groups * Together * Stripes.Count) + Skew);

    /// <summary>Floats from one place's matrix to the next, of weights.</summary>
    public int WeightStep => checked((SourceGroups * DestinationGroups * Stripes.Count * Stripes.Count) + Skew);

    /// <summary>Whether a convolution is worth it: a 3×3 or 5×5 window that moves pixel by pixel, enough channels, and not much of the tiles beyond the image's edge.</summary>
    public static bool Suits(ConvolutionGeometry g)
    {
        int window = g.Rows.Kernel, tile = TileOf(window);
        if (window is not (3 or 5) || g.Groups > 1 || !Slides(g.Rows, window) || !Slides(g.Columns, window))
            return false;
        long direct = (long)g.Output.Pixels * window * window;
        long tiles = (long)((g.Output.Height + tile - 1) / tile) * ((g.Output.Width + tile - 1) / tile) * Places;
        return Math.Min(g.Input.Channels, g.OutChannels) >= Stripes.Count && tiles * 3 <= direct * 2;
    }

    private static bool Slides(Tensors.Window w, int kernel) =>
        w is { Stride: 1, Dilation: 1 } && w.Kernel == kernel && w.Before < kernel && w.After < kernel;

    private static int TileOf(int window) => Square + 1 - window;
}
