using System.Globalization;
using ConvNet.Core.Networks;

namespace ConvNet.Cluster.Jobs;

/// <summary>Which tensors of a network a job leaves as they are: <c>none</c>, or patterns of names such as <c>conv*, bn1.*</c>.</summary>
/// <remarks>
/// A frozen parameter is not updated, and its gradient is no part of any norm. The running statistics of a layer stay as well when all its parameters do, or
/// when a pattern fits their own names. In training such a normalisation still goes by the statistics of its batch, as every other.
/// </remarks>
public sealed class FrozenTensors
{
    /// <summary>Nothing is frozen.</summary>
    public const string None = "none";

    private const int MostNamed = 4;

    private readonly string[] _patterns;

    private FrozenTensors(string[] patterns) => _patterns = patterns;

    /// <summary>As a job has it; null for none.</summary>
    public string? Text => _patterns.Length == 0 ? null : string.Join(", ", _patterns);

    /// <summary>Reads the text of a job; null where it is not allowed.</summary>
    public static FrozenTensors? Parse(string? text) => text switch
    {
        null or None => new([]),
        _ when NamePatterns.Split(text) is { } patterns && !patterns.Contains(None) => new(patterns),
        _ => null,
    };

    /// <summary>Whether each of a network's parameters, and each of its running statistics, stays as it is.</summary>
    /// <exception cref="JobFileException">A pattern fits none of them, or nothing is left to learn.</exception>
    public (bool[] Parameters, bool[] Statistics) Of(Network network)
    {
        foreach (string pattern in _patterns)
        {
            if (!network.Parameters.Select(p => p.Name).Concat(network.Statistics.Select(s => s.Name)).Any(name => NamePatterns.Fits(pattern, name)))
                throw NamePatterns.FitsNothing("freeze", pattern, network);
        }

        bool[] parameters = [.. network.Parameters.Select(p => Fits(p.Name))];
        if (parameters.Length > 0 && parameters.All(frozen => frozen))
            throw new JobFileException([$"freeze: {Text} leaves nothing of {network.Name} to be learned. Leave its last layer out of it, {network.Parameters[^1].Name}."]);
        HashSet<string> stills = [.. network.Nodes.Where(IsStill).SelectMany(n => n.Layer.Statistics(n.InputShapes).Select(s => $"{n.Name}.{s.Suffix}"))];
        return (parameters, [.. network.Statistics.Select(s => stills.Contains(s.Name) || Fits(s.Name))]);
    }

    /// <summary>What is frozen, in words for people; null where nothing is.</summary>
    /// <exception cref="JobFileException">A pattern fits nothing, or nothing is left to learn.</exception>
    public string? Describe(Network network)
    {
        if (_patterns.Length == 0)
            return null;
        bool[] frozen = Of(network).Parameters;
        string[] learned = [.. network.Parameters.Where((_, i) => !frozen[i]).Select(p => p.Name)];
        long values = network.Parameters.Where((_, i) => frozen[i]).Sum(p => (long)p.Length);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{frozen.Count(f => f)} of {frozen.Length} tensors ({values:N0} of {network.ParameterCount:N0} values) stay as they are; {string.Join(", ", learned.Take(MostNamed))}{(learned.Length > MostNamed ? $" and {learned.Length - MostNamed} more" : "")} {(learned.Length == 1 ? "is" : "are")} learned");
    }

    private bool IsStill(Node node) => node.ParameterCount > 0 && node.Layer.Parameters(node.InputShapes).All(p => Fits($"{node.Name}.{p.Suffix}"));

    private bool Fits(string name) => _patterns.Any(pattern => NamePatterns.Fits(pattern, name));
}
