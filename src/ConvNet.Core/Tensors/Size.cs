namespace ConvNet.Core.Tensors;

/// <summary>A height and a width in pixels. A single number means both.</summary>
public readonly record struct Size(int Height, int Width)
{
    /// <summary>A square.</summary>
    public static implicit operator Size(int both) => new(both, both);

    /// <inheritdoc/>
    public override string ToString() => Height == Width ? $"{Height}" : $"{Height}x{Width}";
}
