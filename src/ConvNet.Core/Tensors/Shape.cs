namespace ConvNet.Core.Tensors;

/// <summary>The shape of one sample of an activation: <c>[C, H, W]</c>. The batch dimension N is never part of it.</summary>
/// <remarks>A vector of F features is <c>[F, 1, 1]</c>: flattening <c>[C, H, W]</c> gives <c>[C·H·W, 1, 1]</c> in that order.</remarks>
/// <param name="Channels">C, at least 1.</param>
/// <param name="Height">H in pixels, at least 1.</param>
/// <param name="Width">W in pixels, at least 1.</param>
public readonly record struct Shape(int Channels, int Height, int Width)
{
    /// <summary>A vector of <paramref name="features"/> features.</summary>
    public static Shape Vector(int features) => new(features, 1, 1);

    /// <summary>C·H·W: the values of one sample.</summary>
    public int Elements => checked(Channels * Height * Width);

    /// <summary>H·W: the pixels of one channel.</summary>
    public int Pixels => checked(Height * Width);

    /// <summary>True for a vector of features, <c>[F, 1, 1]</c>.</summary>
    public bool IsVector => Height == 1 && Width == 1;

    /// <summary>Whether a pixel lies inside the image.</summary>
    internal bool Holds(int row, int column) => row >= 0 && row < Height && column >= 0 && column < Width;

    /// <summary>As people write it: <c>3x224x224</c>.</summary>
    public override string ToString() => IsVector ? $"{Channels}" : $"{Channels}x{Height}x{Width}";
}
