using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Networks;

/// <summary>A layer in words: what files and messages hold of it.</summary>
/// <param name="Name">Its name in the network.</param>
/// <param name="Type">Its kind: <c>conv2d</c>; see <see cref="LayerCatalog"/>.</param>
/// <param name="Inputs">The layers that feed it, or <c>input</c>; none for the layer before it.</param>
/// <param name="Settings">Its settings by name, as text; those at their defaults are left out.</param>
public sealed record LayerDescription(
    string Name, string Type, IReadOnlyList<string> Inputs, IReadOnlyDictionary<string, string> Settings);

/// <summary>An auxiliary output in words.</summary>
/// <param name="Layer">The layer that gives the scores.</param>
/// <param name="Weight">What its loss is multiplied with.</param>
public sealed record AuxiliaryDescription(string Layer, float Weight);

/// <summary>A network in words: enough to build it again, and nothing that could do anything else.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Input">The shape of one sample.</param>
/// <param name="Layers">The layers, each after its inputs.</param>
public sealed record NetworkDescription(string Name, Shape Input, IReadOnlyList<LayerDescription> Layers)
{
    /// <summary>Outputs that count in training only.</summary>
    public IReadOnlyList<AuxiliaryDescription> Auxiliaries { get; init; } = [];

    /// <summary>Describes a network.</summary>
    public static NetworkDescription Of(Network network) => new(network.Name, network.Input, [.. network.Nodes.Select(node =>
    {
        (string type, IReadOnlyDictionary<string, string> settings) = LayerCatalog.Describe(node.Layer);
        return new LayerDescription(node.Name, type, [.. node.Inputs.Select(i => i == Network.InputNode ? "input" : network.Nodes[i].Name)], settings);
    })])
    {
        Auxiliaries = [.. network.Auxiliaries.Select(a => new AuxiliaryDescription(network.Nodes[a.Node].Name, a.Weight))],
    };

    /// <summary>Builds the network.</summary>
    /// <exception cref="ShapeException">A layer is unknown, does not fit, or is larger than <see cref="NetworkLimits"/> allow; the message names it.</exception>
    public Network Build()
    {
        if (Layers.Count > NetworkLimits.Layers)
            throw new ShapeException($"{Name}: a network has at most {NetworkLimits.Layers} layers, got {Layers.Count}.");
        var builder = new NetworkBuilder(Name, Input);
        foreach (LayerDescription layer in Layers)
        {
            builder.Add(layer.Name, LayerCatalog.Create(layer.Name, layer.Type, layer.Settings), [.. layer.Inputs]);
            NetworkLimits.Check(builder.Last);
        }

        foreach (AuxiliaryDescription auxiliary in Auxiliaries)
            builder.Auxiliary(auxiliary.Layer, auxiliary.Weight);
        return builder.Build();
    }
}
