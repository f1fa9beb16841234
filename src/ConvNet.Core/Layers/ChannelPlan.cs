using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>What a layer's passes over channel lanes are planned for.</summary>
/// <param name="Inputs">The inputs' shapes; of the network's input with its padding around it.</param>
/// <param name="Samples">Samples of a micro-batch at most.</param>
/// <param name="OfPixels">Whether the input is the network's, <see cref="Layout.Pixels"/>. Only convolutions are asked for that.</param>
internal readonly record struct ChannelPlan(IReadOnlyList<Shape> Inputs, int Samples, bool OfPixels)
{
    /// <summary>The first input over channel lanes.</summary>
    public Extent Input => new(Inputs[0], Layout.Channels);
}
