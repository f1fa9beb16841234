using System.Text.Json;
using System.Text.Json.Serialization;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Protocol;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using MessagePack;

namespace ConvNet.Cluster.Jobs;

/// <summary>A layer of a job's own network, in words.</summary>
/// <param name="Name">Its name, unique in the network.</param>
/// <param name="Kind">Its kind, see <see cref="Core.Layers.LayerCatalog"/>.</param>
/// <param name="Inputs">The layers that feed it, or <c>input</c>; none for the layer before it.</param>
/// <param name="Settings">Its settings by name, as text; those left out have their defaults.</param>
/// <param name="Auxiliary">Above 0 for a further output of class scores that counts in training only: what its loss is multiplied with.</param>
/// <param name="Line">The line of the job file where it stands, from 1; 0 where there is none.</param>
[MessagePackObject]
public sealed record OwnLayer(
    [property: Key(0)] string Name,
    [property: Key(1)] string Kind,
    [property: Key(2)] string[] Inputs,
    [property: Key(3)] Dictionary<string, string> Settings,
    [property: Key(4)] float Auxiliary = 0,
    [property: Key(5)] int Line = 0);

/// <summary>A network that a job brings itself instead of naming one of the model zoo: layers in words, and nothing that could do anything else.</summary>
/// <remarks>It travels with the job in control messages, so it has a longest size; how large the network may be is in <see cref="NetworkLimits"/>.</remarks>
/// <param name="file">The job file, for messages; empty where there is none.</param>
/// <param name="layers">The layers, each after its inputs; at least one.</param>
[MessagePackObject]
[method: SerializationConstructor]
public sealed class OwnNetwork(string file, OwnLayer[] layers) : IEquatable<OwnNetwork>
{
    /// <summary>Bytes at most that it takes in a message.</summary>
    public const int MostBytes = 64_000;

    /// <summary>The job file, for messages; empty where there is none.</summary>
    [Key(0)]
    public string File { get; } = file;

    /// <summary>The layers, each after its inputs.</summary>
    [Key(1)]
    public OwnLayer[] Layers { get; } = layers;

    /// <summary>Bytes that it takes in a message.</summary>
    [IgnoreMember]
    [JsonIgnore]
    public int Bytes => MessagePackSerializer.Serialize(this, ClusterSerializer.Options).Length;

    /// <summary>The layers of a network that was built in a program.</summary>
    public static OwnNetwork Of(Network network)
    {
        NetworkDescription description = NetworkDescription.Of(network);
        Dictionary<string, float> auxiliaries = description.Auxiliaries.ToDictionary(a => a.Layer, a => a.Weight);
        return new OwnNetwork("", [.. description.Layers.Select(layer => new OwnLayer(
            layer.Name, layer.Type, [.. layer.Inputs], new(layer.Settings), auxiliaries.GetValueOrDefault(layer.Name)))]);
    }

    /// <summary>Builds the network for the images and classes of the job's data.</summary>
    /// <param name="name">The network's name.</param>
    /// <param name="input">The shape of one image.</param>
    /// <param name="classes">The classes that there are.</param>
    /// <exception cref="ShapeException">A layer does not fit; the message has file and line, names the layer and says why.</exception>
    public Network Build(string name, Shape input, int classes)
    {
        var description = new NetworkDescription(name, input, [.. Layers.Select(layer => new LayerDescription(layer.Name, layer.Kind, layer.Inputs, layer.Settings))])
        {
            Auxiliaries = [.. Layers.Where(layer => layer.Auxiliary != 0).Select(layer => new AuxiliaryDescription(layer.Name, layer.Auxiliary))],
        };
        try
        {
            Network network = description.Build();
            return network.Classes == classes
                ? network
                : throw new ShapeException($"{Layers[^1].Name}: the last layer gives one score for each class; it gives {network.Classes}, and the data have {classes} classes.");
        }
        catch (ShapeException wrong) when (PlaceOf(wrong) is { } place)
        {
            throw new ShapeException($"{place}: {wrong.Message}");
        }
    }

    /// <inheritdoc/>
    public bool Equals(OwnNetwork? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OwnNetwork);

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"{Layers.Length} layers";

    private string Text => JsonSerializer.Serialize(this, ManagementJson.Options);

    /// <summary>Where in the job file the layer stands that a message begins with.</summary>
    private string? PlaceOf(ShapeException wrong)
    {
        OwnLayer? layer = Array.Find(Layers, l => wrong.Message.StartsWith($"{l.Name}: ", StringComparison.Ordinal));
        return layer is { Line: > 0 } && File.Length > 0 ? $"{File}:{layer.Line}" : null;
    }
}
