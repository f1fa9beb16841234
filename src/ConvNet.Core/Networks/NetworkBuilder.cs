using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Networks;

/// <summary>Puts a network together, layer by layer; each layer's shapes are checked as it is added.</summary>
/// <param name="name">The model's name.</param>
/// <param name="input">The shape of one sample.</param>
/// <example><code>
/// Network network = new NetworkBuilder("small", new Shape(1, 28, 28))
///     .Add("conv1", new Conv2D(8, 3) { Padding = Padding.Same })
///     .Add(new Relu())
///     .Add("fc", new FullyConnected(10))
///     .Build();
/// </code></example>
/// <exception cref="ShapeException">The sample is empty.</exception>
public sealed class NetworkBuilder(string name, Shape input)
{
    private readonly List<Node> _nodes = [];
    private readonly Shape _input = input is { Channels: > 0, Height: > 0, Width: > 0 }
        ? input
        : throw new ShapeException($"{name}: a sample takes at least 1 channel, row and column, got {input.Channels}x{input.Height}x{input.Width}.");

    private readonly List<AuxiliaryOutput> _auxiliaries = [];
    private int _parameters, _statistics;

    /// <summary>Adds a layer.</summary>
    /// <param name="layerName">Its name: unique, letters, digits, <c>_</c>, <c>-</c> and <c>.</c> only.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Names of the layers that feed it, or <c>input</c>; the layer before it if none is given.</param>
    /// <exception cref="ShapeException">The name is taken, an input is unknown, or the shapes do not fit.</exception>
    public NetworkBuilder Add(string layerName, Layer layer, params string[] inputs)
    {
        if (!CanName(layerName))
            throw new ShapeException($"'{layerName}' cannot name a layer: letters, digits, '_', '-' and '.' can, and 'input' is the sample itself.");
        if (_nodes.Exists(n => n.Name == layerName))
            throw new ShapeException($"{layerName}: there are two layers of this name; every layer takes its own.");
        List<int> from = inputs.Length == 0 ? [_nodes.Count - 1] : [.. inputs.Select(i => Find(layerName, i))];
        if (from.Count < layer.LeastInputs || from.Count > layer.MostInputs)
            throw new ShapeException($"{layerName}: {layer.GetType().Name} takes {(layer.MostInputs == layer.LeastInputs ? "" : "at least ")}{layer.LeastInputs} input(s), got {from.Count}.");
        Shape[] shapes = [.. from.Select(i => i == Network.InputNode ? _input : _nodes[i].Output)];
        try
        {
            Shape output = layer.OutputShape(layerName, shapes);
            _ = output.Elements;    // that they can be counted
            var node = new Node(layerName, layer, from, shapes, output, _parameters, _statistics);
            (_parameters, _statistics) = checked((_parameters + node.ParameterCount, _statistics + node.StatisticCount));
            _nodes.Add(node);
            return this;
        }
        catch (OverflowException)
        {
            throw new ShapeException($"{layerName}: is too large: its outputs or the network's parameters for an input of {string.Join(" and ", shapes)} are more than 2147483647.");
        }
    }

    /// <summary>Adds a layer that is named after its kind and its number among its kind: <c>relu1</c>, <c>conv2d2</c>.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Names of the layers that feed it, or <c>input</c>; the layer before it if none is given.</param>
    /// <exception cref="ShapeException">The name is taken, an input is unknown, or the shapes do not fit.</exception>
    public NetworkBuilder Add(Layer layer, params string[] inputs) =>
        Add($"{LayerCatalog.Describe(layer).Type}{_nodes.Count(n => n.Layer.GetType() == layer.GetType()) + 1}", layer, inputs);

    /// <summary>The layer that was added last.</summary>
    internal Node Last => _nodes[^1];

    /// <summary>Whether a text can be the name of a layer.</summary>
    public static bool CanName(string text) => text is not ("" or "input") && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');

    /// <summary>Makes a layer's output a further vector of class scores that counts in training only (Szegedy et al. 2015, "Going deeper with convolutions", §5).</summary>
    /// <param name="layerName">The layer: no other may read it, and the rest of its branch is not run in evaluation.</param>
    /// <param name="weight">What its loss is multiplied with, above 0.</param>
    /// <exception cref="ShapeException">There is no such layer, or the weight is not above 0.</exception>
    public NetworkBuilder Auxiliary(string layerName, float weight)
    {
        if (!(weight > 0) || !float.IsFinite(weight))
            throw new ShapeException($"{layerName}: an auxiliary output's weight is above 0, got {weight}.");
        int node = Find("auxiliary output", layerName);
        if (node == Network.InputNode)
            throw new ShapeException("The sample itself cannot be an auxiliary output.");
        _auxiliaries.Add(new AuxiliaryOutput(node, weight));
        return this;
    }

    /// <summary>The finished network.</summary>
    /// <exception cref="ShapeException">There is no layer, a layer leads nowhere, or an output is not a vector of class scores.</exception>
    public Network Build()
    {
        if (_nodes.Count == 0)
            throw new ShapeException($"{name}: a network takes at least one layer.");
        for (int i = 0; i < _nodes.Count - 1; i++)
        {
            bool isAuxiliary = _auxiliaries.Exists(a => a.Node == i);
            if (!isAuxiliary && !_nodes.Exists(n => n.Inputs.Contains(i)))
                throw new ShapeException($"{_nodes[i].Name}: no layer reads its output; name it among a later layer's inputs or remove it.");
        }

        Node last = _nodes[^1];
        if (!last.Output.IsVector)
            throw new ShapeException($"{last.Name}: the last layer gives one score for each class, got an image of {last.Output}; end with a fully connected layer.");
        foreach (AuxiliaryOutput auxiliary in _auxiliaries)
            CheckAuxiliary(auxiliary.Node, last.Output.Elements);
        return new Network(name, _input, [.. _nodes], [.. _auxiliaries]);
    }

    private void CheckAuxiliary(int number, int classes)
    {
        Node node = _nodes[number];
        if (number == _nodes.Count - 1)
            throw new ShapeException($"{node.Name}: the last layer is the output itself and cannot be an auxiliary one.");
        if (!node.Output.IsVector || node.Output.Elements != classes)
            throw new ShapeException($"{node.Name}: an auxiliary output gives one score for each of the {classes} classes, got {node.Output}.");
        if (_nodes.Exists(n => n.Inputs.Contains(number)) || _auxiliaries.Count(a => a.Node == number) > 1)
            throw new ShapeException($"{node.Name}: an auxiliary output ends its branch; no layer reads it, and it is named once.");
    }

    private int Find(string layerName, string wanted)
    {
        if (wanted == "input")
            return Network.InputNode;
        int found = _nodes.FindIndex(n => n.Name == wanted);
        return found >= 0 ? found : throw new ShapeException($"{layerName}: its input '{wanted}' is not a layer before it. Before it are: {string.Join(", ", _nodes.Select(n => n.Name).Prepend("input"))}.");
    }
}
