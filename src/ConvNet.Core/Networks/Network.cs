using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Networks;

/// <summary>A layer in its place: its name, where its inputs come from, its output's shape.</summary>
/// <param name="Name">Unique in the network: <c>conv1</c>.</param>
/// <param name="Layer">The layer.</param>
/// <param name="Inputs">Numbers of the nodes that feed it; <see cref="Network.InputNode"/> is the sample itself.</param>
/// <param name="InputShapes">The inputs' shapes.</param>
/// <param name="Output">The output's shape.</param>
/// <param name="FirstParameter">Where its parameters start in the flat buffer, in floats.</param>
public sealed record Node(string Name, Layer Layer, IReadOnlyList<int> Inputs, IReadOnlyList<Shape> InputShapes, Shape Output, int FirstParameter)
{
    /// <summary>Floats of its parameters.</summary>
    public int ParameterCount => Layer.Parameters(InputShapes).Sum(p => p.Length);
}

/// <summary>A named slice of the flat parameter buffer.</summary>
/// <param name="Name"><c>conv1.weight</c>.</param>
/// <param name="Shape">As the rest of the world writes it: <c>[out, in, kh, kw]</c>.</param>
/// <param name="Offset">Floats from the start of the buffer.</param>
/// <param name="Spec">How it came to be.</param>
public sealed record Parameter(string Name, IReadOnlyList<int> Shape, int Offset, ParameterSpec Spec)
{
    /// <summary>Floats.</summary>
    public int Length => Spec.Length;
}

/// <summary>A network: layers in a directed graph without cycles, with fixed shapes. Holds no numbers.</summary>
/// <remarks>
/// Parameters are one flat, contiguous buffer with named slices in the order of the nodes; that buffer is what is sharded, sent, summed,
/// hashed and saved. The last node's output is one score (logit) for each class.
/// </remarks>
public sealed class Network
{
    /// <summary>The number that stands for the sample itself among a node's inputs.</summary>
    public const int InputNode = -1;

    internal Network(string name, Shape input, IReadOnlyList<Node> nodes)
    {
        (Name, Input, Nodes) = (name, input, nodes);
        var parameters = new List<Parameter>();
        foreach (Node node in nodes)
        {
            int offset = node.FirstParameter;
            foreach (ParameterSpec spec in node.Layer.Parameters(node.InputShapes))
            {
                parameters.Add(new Parameter($"{node.Name}.{spec.Suffix}", spec.Shape, offset, spec));
                offset += spec.Length;
            }
        }

        Parameters = parameters;
        ParameterCount = parameters.Sum(p => p.Length);
    }

    /// <summary>The model's name: <c>lenet5</c>.</summary>
    public string Name { get; }

    /// <summary>The shape of one sample.</summary>
    public Shape Input { get; }

    /// <summary>The layers, each after its inputs.</summary>
    public IReadOnlyList<Node> Nodes { get; }

    /// <summary>The slices of the flat parameter buffer, in order.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Floats of the flat parameter buffer.</summary>
    public int ParameterCount { get; }

    /// <summary>Scores of the last layer: the number of classes.</summary>
    public int Classes => Nodes[^1].Output.Elements;

    /// <summary>Multiply-adds of one sample's forward pass.</summary>
    public long MultiplyAdds => Nodes.Sum(n => n.Layer.MultiplyAdds(n.InputShapes));

    /// <summary>Fills a flat buffer with the initial weights of a seed: the same bits everywhere.</summary>
    public void Initialize(Span<float> parameters, ulong seed) => Initialize(0, parameters, seed);

    /// <summary>Fills a range of the flat buffer with the initial weights of a seed: the same bits as the whole has there.</summary>
    /// <param name="start">Where the range starts in the flat buffer.</param>
    /// <param name="range">Overwritten.</param>
    /// <param name="seed">The seed.</param>
    public void Initialize(int start, Span<float> range, ulong seed)
    {
        for (int i = 0; i < Parameters.Count; i++)
        {
            (ParameterSpec spec, int offset) = (Parameters[i].Spec, Parameters[i].Offset);
            int from = Math.Max(offset, start), to = Math.Min(offset + spec.Length, start + range.Length);
            if (from < to)
                spec.Initializer.Fill(range[(from - start)..(to - start)], spec.FanIn, spec.FanOut, seed, i, first: from - offset);
        }
    }
}
