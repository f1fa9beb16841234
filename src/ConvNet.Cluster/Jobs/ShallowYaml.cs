using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ConvNet.Cluster.Jobs;

/// <summary>YAML events that go no deeper than a job file may: the scanner beneath takes a time that grows with the square of the depth.</summary>
internal sealed class ShallowYaml(IParser events) : IParser
{
    /// <summary>Mappings and lists that may lie in one another.</summary>
    public const int Deepest = 32;

    private int _depth;

    /// <inheritdoc/>
    public ParsingEvent? Current => events.Current;

    /// <inheritdoc/>
    public bool MoveNext()
    {
        Mark last = events.Current?.End ?? Mark.Empty;
        try
        {
            if (!events.MoveNext())
                return false;
        }
        catch (InvalidOperationException)
        {
            // The scanner's answer to a list or mapping that the file ends in.
            throw new YamlException(last, last, "the file ends within a list or mapping that begins here or before; close it with ] or }.");
        }

        _depth += events.Current?.NestingIncrease ?? 0;
        // The stream and the document count as one each.
        return _depth <= Deepest + 2
            ? true
            : throw new YamlException(events.Current!.Start, events.Current.End, $"nested deeper than {Deepest} levels.");
    }
}
