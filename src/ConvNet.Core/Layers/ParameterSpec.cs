using ConvNet.Core.Initializers;

namespace ConvNet.Core.Layers;

/// <summary>A parameter that a layer wants.</summary>
/// <param name="Suffix">Its name within the layer: <c>weight</c> or <c>bias</c>.</param>
/// <param name="Shape">Its dimensions as the rest of the world writes them: <c>[out, in, kh, kw]</c>, <c>[out, in]</c>, <c>[out]</c>.</param>
/// <param name="FanIn">Inputs that one output sums over.</param>
/// <param name="FanOut">Outputs that one input goes into.</param>
/// <param name="Initializer">How its first values are drawn.</param>
public sealed record ParameterSpec(string Suffix, IReadOnlyList<int> Shape, int FanIn, int FanOut, Initializer Initializer)
{
    /// <summary>Floats.</summary>
    public int Length => Shape.Aggregate(1, (product, size) => checked(product * size));
}
