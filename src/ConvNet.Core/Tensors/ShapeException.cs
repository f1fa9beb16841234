namespace ConvNet.Core.Tensors;

/// <summary>A network that cannot be: shapes that do not fit together. The message names the layer, the shapes and the reason.</summary>
public sealed class ShapeException(string message) : Exception(message)
{
    /// <summary>The setting that is wrong, where it is a single one.</summary>
    public string? Setting { get; init; }
}
