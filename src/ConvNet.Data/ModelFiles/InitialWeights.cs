using System.Globalization;
using ConvNet.Core.Networks;

namespace ConvNet.Data.ModelFiles;

/// <summary>The state that a network begins with when it is given a file: the file's tensors by their names, and what a seed gives for the rest.</summary>
/// <remarks>
/// A classifier for another number of classes is left at what the seed gives, as is usual when a network is tuned to new data; any other tensor of another shape
/// is an error, as it is almost surely the wrong file. What was taken and what was not is told in either case.
/// </remarks>
public sealed class InitialWeights
{
    private const int MostNamed = 4;

    /// <summary>PyTorch counts in it how many batches a normalisation has seen; nothing here uses it.</summary>
    private const string Counter = ".num_batches_tracked";

    private readonly float[] _state;

    private InitialWeights(float[] state, IReadOnlyList<string> report) => (_state, Report) = (state, report);

    /// <summary>Parameters, then running statistics.</summary>
    public ReadOnlySpan<float> State => _state;

    /// <summary>What was taken from the file and what was not: a line for each.</summary>
    public IReadOnlyList<string> Report { get; }

    /// <summary>Puts a file's tensors into a network's places.</summary>
    /// <param name="saved">The file.</param>
    /// <param name="network">The network.</param>
    /// <param name="seed">Decides the rest.</param>
    /// <exception cref="DataException">No tensor of the file is one of the network's, one has another shape, or a value is not finite.</exception>
    public static InitialWeights Of(SavedTensors saved, Network network, ulong seed)
    {
        float[] state = new float[network.StateLength];
        network.Initialize(state, seed);
        NamedTensor[] wanted = NamedTensor.Of(network);
        Dictionary<string, StoredTensor> unused = saved.Tensors.ToDictionary(t => t.Name);
        HashSet<string> classifiers = Classifiers(network);
        List<NamedTensor> taken = [], missing = [];
        List<(NamedTensor Wanted, StoredTensor Stored)> otherClasses = [], misshapen = [];
        foreach (NamedTensor tensor in wanted)
        {
            if (!unused.Remove(tensor.Name, out StoredTensor? stored))
            {
                missing.Add(tensor);
            }
            else if (stored.Shape.SequenceEqual(tensor.Shape))
            {
                saved.Copy(stored, state.AsSpan(tensor.Offset, tensor.Length));
                taken.Add(tensor);
            }
            else
            {
                bool classes = classifiers.Contains(tensor.Name) && stored.Shape.Skip(1).SequenceEqual(tensor.Shape.Skip(1)) && stored.Shape.Length == tensor.Shape.Count;
                (classes ? otherClasses : misshapen).Add((tensor, stored));
            }
        }

        if (misshapen.Count > 0)
            throw new DataException($"init: {saved.Name}: {string.Join("; ", misshapen.Take(MostNamed).Select(m => $"{m.Wanted.Name} is {Shape(m.Stored.Shape)}, {network.Name} takes {Shape(m.Wanted.Shape)}"))}{Rest(misshapen.Count)}. Is the file of another network, or of images of another size?");
        if (taken.Count == 0)
            throw new DataException($"init: {saved.Name}: none of its {saved.Tensors.Count} tensors is one of {network.Name}: the file has {Names(saved.Tensors.Select(t => t.Name))}; {network.Name} takes {Names(wanted.Select(t => t.Name))}.");
        var report = new List<string> { $"{taken.Count} of {wanted.Length} tensors ({Amount(taken.Sum(t => (long)t.Length))} of {Amount(network.StateLength)} values) are those of {saved.Name}" };
        if (otherClasses.Count > 0)
            report.Add($"{Names(otherClasses.Select(m => m.Wanted.Name))} stay{(otherClasses.Count == 1 ? "s" : "")} at {(otherClasses.Count == 1 ? "its" : "their")} initial values, for other classes: the file has {string.Join(", ", otherClasses.Take(MostNamed).Select(m => Shape(m.Stored.Shape)))}, {network.Name} {string.Join(", ", otherClasses.Take(MostNamed).Select(m => Shape(m.Wanted.Shape)))}");
        if (missing.Count > 0)
            report.Add($"{Names(missing.Select(t => t.Name))} stay{(missing.Count == 1 ? "s" : "")} at {(missing.Count == 1 ? "its" : "their")} initial values: not in the file");
        string[] left = [.. saved.Tensors.Select(t => t.Name).Where(name => unused.ContainsKey(name) && !name.EndsWith(Counter, StringComparison.Ordinal))];
        if (left.Length > 0)
            report.Add($"{Names(left)} in the file {(left.Length == 1 ? "is" : "are")} of no use to {network.Name}");
        return new InitialWeights(state, report);
    }

    /// <summary>The parameters whose first dimension is the classes: those of the last layer with parameters before the scores, and before each auxiliary output's.</summary>
    private static HashSet<string> Classifiers(Network network)
    {
        var names = new HashSet<string>();
        foreach (int scores in network.Auxiliaries.Select(a => a.Node).Append(network.Nodes.Count - 1))
        {
            int at = scores;
            while (at >= 0 && network.Nodes[at].ParameterCount == 0 && network.Nodes[at].Inputs.Count == 1)
                at = network.Nodes[at].Inputs[0];
            if (at >= 0)
                names.UnionWith(network.Nodes[at].Layer.Parameters(network.Nodes[at].InputShapes).Select(p => $"{network.Nodes[at].Name}.{p.Suffix}"));
        }

        return names;
    }

    private static string Shape(IEnumerable<int> shape) => $"[{string.Join(", ", shape)}]";

    private static string Names(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length == 0 ? "none" : $"{string.Join(", ", all.Take(MostNamed))}{Rest(all.Length)}";
    }

    private static string Rest(int count) => count > MostNamed ? $" and {count - MostNamed} more" : "";

    private static string Amount(long values) => values < 1_000_000
        ? values.ToString("N0", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{values / 1e6:F1} M");
}
