using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data.Files;

namespace ConvNet.Data.ModelFiles;

/// <summary>A trained network with all that is needed to use it.</summary>
/// <param name="Network">Its layers.</param>
/// <param name="Weights">Its state: the flat parameter buffer, then the running statistics.</param>
/// <param name="ClassNames">The classes' names, by number.</param>
/// <param name="Normalisation">How its training images were normalised.</param>
public sealed record TrainedModel(Network Network, float[] Weights, IReadOnlyList<string> ClassNames, Normalisation Normalisation)
{
    /// <summary>SHA-256 of the weights' little-endian bytes, in lower-case hexadecimal.</summary>
    public string WeightsSha256 => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(Weights.AsSpan())));
}

/// <summary>Saves and loads a model: <c>model.safetensors</c> with the weights, <c>model.json</c> beside it with everything else.</summary>
public static class ModelFile
{
    /// <summary>The weights' file in a model's folder.</summary>
    public const string WeightsName = "model.safetensors";

    /// <summary>The description's file in a model's folder.</summary>
    public const string DescriptionName = "model.json";

    private const string Format = "convnet-model/1";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Saves a model into a folder, which is made if need be. The weights are written last, so a folder with weights is whole.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="model">The model.</param>
    /// <param name="origin">What is known of its training, for people: model, data, epochs, …</param>
    /// <returns>The path of the weights.</returns>
    public static string Save(string folder, TrainedModel model, IReadOnlyDictionary<string, string> origin)
    {
        Directory.CreateDirectory(folder);
        byte[] description = JsonSerializer.SerializeToUtf8Bytes(Describe(model, origin), Indented);
        AtomicFile.Write(Path.Combine(folder, DescriptionName), stream => stream.Write(description));
        string weights = Path.Combine(folder, WeightsName);
        Safetensors.Write(weights, NamedTensor.Of(model.Network), model.Weights, new Dictionary<string, string> { ["format"] = Format, ["model"] = model.Network.Name });
        return weights;
    }

    /// <summary>Loads a model.</summary>
    /// <param name="path">Its folder, or either of its files.</param>
    /// <exception cref="DataException">A file is missing, damaged, or does not fit the other.</exception>
    public static TrainedModel Load(string path)
    {
        (string descriptionPath, string weightsPath) = Find(path);
        (Network network, string[] classes, Normalisation normalisation) = ReadDescription(descriptionPath);
        (IReadOnlyList<NamedTensor> tensors, float[] values) = Safetensors.Read(weightsPath);
        return new TrainedModel(network, Arrange(weightsPath, network, tensors, values), classes, normalisation);
    }

    /// <summary>Loads a model's layers without its weights.</summary>
    /// <param name="path">Its folder, or either of its files.</param>
    /// <exception cref="DataException">A file is missing, or the description is damaged.</exception>
    public static Network LoadNetwork(string path) => ReadDescription(Find(path).Description).Network;

    private static (string Description, string Weights) Find(string path)
    {
        string folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        string descriptionPath = Path.Combine(folder, DescriptionName), weightsPath = Path.Combine(folder, WeightsName);
        if (!Directory.Exists(path) && Path.GetFileName(path) is not (DescriptionName or WeightsName))
            throw new DataException($"{path}: expected the folder of a trained model, with {DescriptionName} and {WeightsName} in it. 'convnet train' prints where it saved one.");
        foreach (string file in new[] { descriptionPath, weightsPath })
        {
            if (!File.Exists(file))
                throw new DataException($"{file}: missing; a model is a folder with {DescriptionName} and {WeightsName}.");
        }

        return (descriptionPath, weightsPath);
    }

    /// <summary>The values in the network's own order, whatever their order in the file.</summary>
    private static float[] Arrange(string path, Network network, IReadOnlyList<NamedTensor> tensors, float[] values)
    {
        var weights = new float[network.StateLength];
        Dictionary<string, NamedTensor> byName = tensors.ToDictionary(t => t.Name);
        foreach (NamedTensor wanted in NamedTensor.Of(network))
        {
            if (!byName.Remove(wanted.Name, out NamedTensor? tensor))
                throw new DataException($"{path}: {network.Name} takes a tensor {wanted.Name}, which is not in it.");
            if (!tensor.Shape.SequenceEqual(wanted.Shape))
                throw new DataException($"{path}: {wanted.Name} is [{string.Join(", ", tensor.Shape)}]; {network.Name} takes [{string.Join(", ", wanted.Shape)}].");
            Span<float> to = weights.AsSpan(wanted.Offset, tensor.Length);
            values.AsSpan(tensor.Offset, tensor.Length).CopyTo(to);
            int notFinite = to.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
            if (notFinite >= 0)
                throw new DataException($"{path}: {wanted.Name} has {(float.IsNaN(to[notFinite]) ? "a NaN" : "an infinity")} (value {notFinite} of {to.Length}); such a model gives nothing. Take weights from before they diverged.");
        }

        return byName.Count == 0
            ? weights
            : throw new DataException($"{path}: {network.Name} has no parameter {byName.Keys.First()}. Are the two files of one model?");
    }

    private static JsonObject Describe(TrainedModel model, IReadOnlyDictionary<string, string> origin)
    {
        NetworkDescription network = NetworkDescription.Of(model.Network);
        var layers = new JsonArray();
        foreach (LayerDescription layer in network.Layers)
        {
            var entry = new JsonObject { ["name"] = layer.Name, ["type"] = layer.Type, ["inputs"] = Array(layer.Inputs) };
            foreach ((string setting, string value) in layer.Settings)
                entry[setting] = value;
            layers.Add(entry);
        }

        var from = new JsonObject();
        foreach ((string key, string value) in origin)
            from[key] = value;
        return new JsonObject
        {
            ["format"] = Format,
            ["model"] = network.Name,
            ["input"] = Array([network.Input.Channels, network.Input.Height, network.Input.Width]),
            ["classes"] = Array(model.ClassNames),
            ["normalisation"] = new JsonObject { ["mean"] = Array(model.Normalisation.Mean), ["deviation"] = Array(model.Normalisation.Deviation) },
            ["parameters"] = model.Network.ParameterCount,
            ["weightsSha256"] = model.WeightsSha256,
            ["origin"] = from,
            ["layers"] = layers,
            ["auxiliaries"] = new JsonObject(network.Auxiliaries.Select(a => KeyValuePair.Create(a.Layer, (JsonNode?)JsonValue.Create(a.Weight)))),
        };
    }

    private static JsonArray Array<T>(IEnumerable<T> values) => [.. values.Select(v => JsonValue.Create(v))];

    private static (Network Network, string[] Classes, Normalisation Normalisation) ReadDescription(string path)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = json.RootElement;
            if (root.GetProperty("format").GetString() is not Format and var format)
                throw new DataException($"{path}: format is {format}; this version reads {Format}.");
            int[] input = Numbers(root.GetProperty("input"), n => n.GetInt32());
            if (input.Length != 3 || input.Min() < 1)
                throw new DataException($"{path}: input is [{string.Join(", ", input)}]; it takes [channels, height, width].");
            LayerDescription[] layers = [.. root.GetProperty("layers").EnumerateArray().Select(Layer)];
            var description = new NetworkDescription(root.GetProperty("model").GetString()!, new Shape(input[0], input[1], input[2]), layers)
            {
                Auxiliaries = root.TryGetProperty("auxiliaries", out JsonElement auxiliaries) ? [.. auxiliaries.EnumerateObject().Select(a => new AuxiliaryDescription(a.Name, a.Value.GetSingle()))] : [],
            };
            Network network = description.Build();
            string[] classes = [.. root.GetProperty("classes").EnumerateArray().Select(c => c.GetString()!)];
            JsonElement normalisation = root.GetProperty("normalisation");
            float[] mean = Numbers(normalisation.GetProperty("mean"), n => n.GetSingle()), deviation = Numbers(normalisation.GetProperty("deviation"), n => n.GetSingle());
            if (classes.Length != network.Classes || mean.Length != input[0] || deviation.Length != input[0] || deviation.Min() <= 0)
                throw new DataException($"{path}: classes or normalisation do not fit {network.Name}: {network.Classes} classes, {input[0]} channel(s).");
            return (network, classes, new Normalisation(mean, deviation));
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException or ShapeException)
        {
            throw new DataException($"{path}: is not the description of a model ({wrong.Message.TrimEnd('.')}).", wrong);
        }
    }

    private static LayerDescription Layer(JsonElement layer) => new(
        layer.GetProperty("name").GetString()!,
        layer.GetProperty("type").GetString()!,
        [.. layer.GetProperty("inputs").EnumerateArray().Select(i => i.GetString()!)],
        layer.EnumerateObject().Where(p => p.Name is not ("name" or "type" or "inputs")).ToDictionary(p => p.Name, p => p.Value.GetString()!));

    private static T[] Numbers<T>(JsonElement array, Func<JsonElement, T> read) => [.. array.EnumerateArray().Select(read)];
}
