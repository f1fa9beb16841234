using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;

namespace ConvNet.Core.Networks;

/// <summary>A layer in its place: its name, where its inputs come from, its output's shape.</summary>
/// <param name="Name">Unique in the network: <c>conv1</c>.</param>
/// <param name="Layer">The layer.</param>
/// <param name="Inputs">Numbers of the nodes that feed it; <see cref="Network.InputNode"/> is the sample itself.</param>
/// <param name="InputShapes">The inputs' shapes.</param>
/// <param name="Output">The output's shape.</param>
/// <param name="FirstParameter">Where its parameters start in the flat buffer, in floats.</param>
/// <param name="FirstStatistic">Where its running statistics start among all statistics, in floats.</param>
public sealed record Node(
    string Name, Layer Layer, IReadOnlyList<int> Inputs, IReadOnlyList<Shape> InputShapes, Shape Output, int FirstParameter, int FirstStatistic = 0)
{
    /// <summary>Floats of its parameters.</summary>
    public int ParameterCount { get; } = Layer.Parameters(InputShapes).Sum(p => p.Length);

    /// <summary>Floats of its running statistics.</summary>
    public int StatisticCount { get; } = Layer.Statistics(InputShapes).Sum(s => s.Length);
}

/// <summary>A further output of class scores that counts in training only: it brings the gradient closer to the first layers.</summary>
/// <param name="Node">The number of the node that gives the scores.</param>
/// <param name="Weight">What its loss is multiplied with.</param>
public readonly record struct AuxiliaryOutput(int Node, float Weight);

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

/// <summary>A named slice of the running statistics.</summary>
/// <param name="Name"><c>bn1.running_mean</c>.</param>
/// <param name="Shape">As the rest of the world writes it: <c>[C]</c>.</param>
/// <param name="Offset">Floats from the start of the statistics.</param>
/// <param name="Spec">How it begins and moves.</param>
public sealed record Statistic(string Name, IReadOnlyList<int> Shape, int Offset, StatisticSpec Spec)
{
    /// <summary>Floats.</summary>
    public int Length => Spec.Length;
}

/// <summary>A network: layers in a directed graph without cycles, with fixed shapes. Holds no numbers.</summary>
/// <remarks>
/// Parameters are one flat, contiguous buffer with named slices in the order of the nodes; that buffer is what is sharded, sent, summed,
/// hashed and saved; the running statistics lie behind them. The last node's output is one score (logit) for each class.
/// </remarks>
public sealed class Network
{
    /// <summary>The number that stands for the sample itself among a node's inputs.</summary>
    public const int InputNode = -1;

    private readonly bool[] _leadsToScores;

    internal Network(string name, Shape input, IReadOnlyList<Node> nodes, IReadOnlyList<AuxiliaryOutput> auxiliaries)
    {
        (Name, Input, Nodes, Auxiliaries) = (name, input, nodes, auxiliaries);
        var parameters = new List<Parameter>();
        var statistics = new List<Statistic>();
        foreach (Node node in nodes)
        {
            int statistic = node.FirstStatistic;
            foreach (StatisticSpec spec in node.Layer.Statistics(node.InputShapes))
            {
                statistics.Add(new Statistic($"{node.Name}.{spec.Suffix}", spec.Shape, statistic, spec));
                statistic += spec.Length;
            }

            int offset = node.FirstParameter;
            foreach (ParameterSpec spec in node.Layer.Parameters(node.InputShapes))
            {
                parameters.Add(new Parameter($"{node.Name}.{spec.Suffix}", spec.Shape, offset, spec));
                offset += spec.Length;
            }
        }

        Parameters = parameters;
        _leadsToScores = new bool[nodes.Count];
        _leadsToScores[^1] = true;
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            foreach (int from in nodes[i].Inputs.Where(n => n >= 0 && _leadsToScores[i]))
                _leadsToScores[from] = true;
        }

        Statistics = statistics;
        ParameterCount = parameters.Sum(p => p.Length);
        StatisticCount = statistics.Sum(s => s.Length);
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

    /// <summary>Further outputs that count in training only.</summary>
    public IReadOnlyList<AuxiliaryOutput> Auxiliaries { get; }

    /// <summary>The slices of the running statistics, in order.</summary>
    public IReadOnlyList<Statistic> Statistics { get; }

    /// <summary>Floats of the running statistics.</summary>
    public int StatisticCount { get; }

    /// <summary>Floats of all that the network knows: parameters, then running statistics.</summary>
    public int StateLength => ParameterCount + StatisticCount;

    /// <summary>What a micro-batch gives to a step.</summary>
    public ContributionLayout Layout => new(ParameterCount, StatisticCount);

    /// <summary>Scores of the last layer: the number of classes.</summary>
    public int Classes => Nodes[^1].Output.Elements;

    /// <summary>Floats of those parameters that only auxiliary outputs use, among <see cref="ParameterCount"/>.</summary>
    public int AuxiliaryParameterCount => Nodes.Where((_, i) => IsTrainingOnly(i)).Sum(n => n.ParameterCount);

    /// <summary>Multiply-adds of one sample's forward pass in evaluation.</summary>
    public long MultiplyAdds => Nodes.Where((_, i) => !IsTrainingOnly(i)).Sum(n => n.Layer.MultiplyAdds(n.InputShapes));

    /// <summary>Whether a node serves an auxiliary output alone, and so has nothing to do in evaluation.</summary>
    /// <param name="node">Its number.</param>
    public bool IsTrainingOnly(int node) => !_leadsToScores[node];

    /// <summary>Fills a buffer with the initial state of a seed, the same bits everywhere.</summary>
    /// <param name="state">Overwritten: the parameters, and the running statistics if it is long enough for them.</param>
    /// <param name="seed">The seed.</param>
    public void Initialize(Span<float> state, ulong seed) => Initialize(0, state, seed);

    /// <summary>Fills a range of the state with what it begins with: the same bits as the whole has there.</summary>
    /// <param name="start">Where the range starts in the state, <see cref="StateLength"/> floats.</param>
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

        foreach (Statistic statistic in Statistics)
        {
            int offset = ParameterCount + statistic.Offset;
            int from = Math.Max(offset, start), to = Math.Min(offset + statistic.Length, start + range.Length);
            if (from < to)
                range[(from - start)..(to - start)].Fill(statistic.Spec.InitialValue);
        }
    }

    /// <summary>Moves the running statistics once, after a step.</summary>
    /// <param name="running">All running statistics, changed in place.</param>
    /// <param name="sums">The sums of the micro-batches' statistics.</param>
    /// <param name="microBatches">Micro-batches of the step.</param>
    public void UpdateStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches)
    {
        foreach (Statistic statistic in Statistics)
        {
            float momentum = statistic.Spec.Momentum;
            for (int i = statistic.Offset; i < statistic.Offset + statistic.Length; i++)
                running[i] = MathF.FusedMultiplyAdd(momentum, (sums[i] / microBatches) - running[i], running[i]);
        }
    }
}
