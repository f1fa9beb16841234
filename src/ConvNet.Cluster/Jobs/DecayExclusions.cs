using ConvNet.Core.Networks;

namespace ConvNet.Cluster.Jobs;

/// <summary>Which parameters weight decay leaves alone: <c>none</c>, <c>bias-and-norm</c>, or patterns of names such as <c>*.bias, bn*.weight</c>.</summary>
/// <remarks>
/// <c>bias-and-norm</c> are the tensors of one dimension: biases, and the scales of normalisations. Pulling those towards 0 serves nothing;
/// Goyal et al. 2017, "Accurate, large minibatch SGD", §5.3.
/// </remarks>
public sealed class DecayExclusions
{
    /// <summary>Everything decays.</summary>
    public const string None = "none";

    /// <summary>Tensors of one dimension do not.</summary>
    public const string BiasAndNorm = "bias-and-norm";

    private readonly string[] _patterns;

    private DecayExclusions(string[] patterns) => _patterns = patterns;

    /// <summary>As a job has it.</summary>
    public string Text => _patterns.Length == 0 ? None : string.Join(", ", _patterns);

    /// <summary>Reads the text of a job; null where it is not allowed.</summary>
    public static DecayExclusions? Parse(string text)
    {
        if (NamePatterns.Split(text) is not { } items || (items.Length > 1 && items.Contains(None)))
            return null;
        return new(items is [None] ? [] : items);
    }

    /// <summary>Whether each of a network's parameters decays.</summary>
    /// <exception cref="JobFileException">A pattern fits none of them.</exception>
    public bool[] Decays(Network network)
    {
        foreach (string pattern in _patterns)
        {
            if (!network.Parameters.Any(p => Excludes(pattern, p)))
                throw NamePatterns.FitsNothing("decay-exclude", pattern, network);
        }

        return [.. network.Parameters.Select(p => !_patterns.Any(pattern => Excludes(pattern, p)))];
    }

    private static bool Excludes(string pattern, Parameter parameter) =>
        pattern == BiasAndNorm ? parameter.Shape.Count <= 1 : NamePatterns.Fits(pattern, parameter.Name);
}
