using System.IO.Enumeration;
using ConvNet.Core.Networks;

namespace ConvNet.Cluster.Jobs;

/// <summary>Patterns of names of a network's tensors, such as <c>conv1.*, *.bias</c>, with commas between them; <c>*</c> stands for any characters, <c>?</c> for one.</summary>
internal static class NamePatterns
{
    /// <summary>The patterns of a text; null where there is an empty one, or one twice.</summary>
    public static string[]? Split(string text)
    {
        string[] items = text.Split(',', StringSplitOptions.TrimEntries);
        return items.Contains("") || items.Distinct().Count() < items.Length ? null : items;
    }

    /// <summary>Whether a pattern fits a name.</summary>
    public static bool Fits(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    /// <summary>What is said of a pattern that fits nothing.</summary>
    /// <param name="field">The job's field that it is in.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="network">The network.</param>
    public static JobFileException FitsNothing(string field, string pattern, Network network) =>
        new([$"{field}: no parameter of {network.Name} is called \"{pattern}\"; they are called {string.Join(", ", network.Parameters.Take(4).Select(p => p.Name))} and so on ('convnet describe')."]);
}
