using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Networks;

/// <summary>What one layer of a network costs.</summary>
/// <param name="Name">Its name in the network.</param>
/// <param name="Kind">Its kind, see <see cref="LayerCatalog"/>.</param>
/// <param name="Inputs">The layers that feed it, or <c>input</c>.</param>
/// <param name="Branches">Whether it reads anything but the output of the layer listed before it.</param>
/// <param name="Output">The shape of its output, for one sample.</param>
/// <param name="Parameters">Its trainable parameters.</param>
/// <param name="MultiplyAdds">Multiply-adds of one sample's forward pass.</param>
/// <param name="ActivationBytes">Its output for the micro-batch.</param>
/// <param name="TrainingOnly">Whether it serves an auxiliary output alone, and is not run in evaluation.</param>
public sealed record LayerSummary(
    string Name, string Kind, IReadOnlyList<string> Inputs, bool Branches, Shape Output, int Parameters, long MultiplyAdds, long ActivationBytes, bool TrainingOnly);

/// <summary>What a network costs: parameters, multiply-adds and the memory of a lane that trains it.</summary>
/// <remarks>A micro-batch takes memory in blocks of 16 samples, so one of 20 takes as much as one of 32.</remarks>
/// <param name="network">The network.</param>
/// <param name="microBatch">Samples of a micro-batch, at least 1.</param>
public sealed class NetworkSummary(Network network, int microBatch)
{
    private readonly long _samples = (microBatch + Stripes.Count - 1L) / Stripes.Count * Stripes.Count;

    /// <summary>The network.</summary>
    public Network Network => network;

    /// <summary>Samples of a micro-batch.</summary>
    public int MicroBatch => microBatch;

    /// <summary>The layers, in order.</summary>
    public IReadOnlyList<LayerSummary> Layers => [.. network.Nodes.Select((node, i) => new LayerSummary(
        node.Name,
        LayerCatalog.Describe(node.Layer).Type,
        [.. node.Inputs.Select(from => from == Network.InputNode ? "input" : network.Nodes[from].Name)],
        node.Inputs.Count > 1 || node.Inputs[0] != i - 1,
        node.Output,
        node.ParameterCount,
        node.Layer.MultiplyAdds(node.InputShapes),
        Bytes(node.Output),
        network.IsTrainingOnly(i)))];

    /// <summary>Bytes of parameters and running statistics.</summary>
    public long WeightBytes => sizeof(float) * (long)network.StateLength;

    /// <summary>Bytes that training would take if every layer kept an activation and a gradient of its own.</summary>
    public long UnsharedBytes => Bytes(network.Input) + (2 * network.Nodes.Sum(node => Bytes(node.Output)));

    /// <summary>Bytes of a lane's arena, in which activations and gradients share memory.</summary>
    /// <exception cref="ShapeException">They are more than an arena can hold.</exception>
    public long ArenaBytes => sizeof(float) * (long)new ExecutionPlan(network, microBatch).ArenaLength;

    private long Bytes(Shape shape) => sizeof(float) * _samples * shape.Elements;
}
