using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ConvNet.Cluster.Jobs;

/// <summary>Reads a job file: YAML, one level of <c>field: value</c>; only <c>layers</c> goes deeper, see <see cref="LayersYaml"/>.</summary>
/// <remarks>Read event by event rather than into objects, so that each problem has its line and the first does not hide the others.</remarks>
public static class JobFile
{
    /// <summary>The job in a file's text.</summary>
    /// <exception cref="JobFileException">Something is wrong; the message has a line for each problem.</exception>
    public static JobSpec Parse(string text, string fileName) => new JobDraft().ReadYaml(text, fileName).ToSpec();

    internal static void Read(JobDraft draft, string text, string fileName)
    {
        try
        {
            ReadDocument(draft, new ShallowYaml(new Parser(new StringReader(text))), fileName);
        }
        catch (YamlException e)
        {
            draft.Problem($"{fileName}:{e.Start.Line}: this is not YAML: {e.InnerException?.Message ?? e.Message}");
        }
    }

    private static void ReadDocument(JobDraft draft, IParser yaml, string fileName)
    {
        yaml.Consume<StreamStart>();
        if (yaml.Accept<StreamEnd>(out _))
            return;   // an empty file is a job of defaults
        yaml.Consume<DocumentStart>();
        if (yaml.Accept<Scalar>(out var only) && only.Value.Length == 0)
            return;
        if (!yaml.TryConsume<MappingStart>(out _))
        {
            draft.Problem($"{fileName}:{Line(yaml)}: expected lines of \"field: value\", such as \"epochs: 5\".");
            return;
        }

        var lines = new Dictionary<string, long>();
        while (!yaml.TryConsume<MappingEnd>(out _))
            ReadField(draft, yaml, fileName, lines);
        yaml.Consume<DocumentEnd>();
        if (yaml.Accept<DocumentStart>(out var second))
            draft.Problem($"{fileName}:{second.Start.Line}: a job file holds one document, here begins another.");
    }

    private static void ReadField(JobDraft draft, IParser yaml, string fileName, Dictionary<string, long> lines)
    {
        if (!yaml.TryConsume<Scalar>(out var key))
        {
            draft.Problem($"{fileName}:{Line(yaml)}: expected the name of a field.");
            yaml.SkipThisAndNestedEvents();
            yaml.SkipThisAndNestedEvents();
            return;
        }

        string where = $"{fileName}:{key.Start.Line}";
        if (!lines.TryAdd(key.Value, key.Start.Line))
            draft.Problem($"{where}: {key.Value}: given before, on line {lines[key.Value]}.");

        if (key.Value == JobFields.Layers && yaml.Accept<SequenceStart>(out _))
        {
            if (new LayersYaml(draft, yaml, fileName).Read(key.Start.Line) is { } network)
                draft.SetNetwork(network, $"{where}: {key.Value}", fileName);
            return;
        }

        if (yaml.TryConsume<Scalar>(out var value))
        {
            draft.Set(key.Value, value.Value, $"{where}: {key.Value}", where);
            return;
        }

        if (JobFields.Find(key.Value) is { IsList: true } && yaml.Accept<SequenceStart>(out _))
        {
            if (ReadList(yaml) is { } list)
                draft.Set(key.Value, list, $"{where}: {key.Value}", where);
            else
                draft.Problem($"{where}: {key.Value}: expected a list of single values.");
            return;
        }

        string got = yaml.Accept<SequenceStart>(out _) ? "a list" : yaml.Accept<MappingStart>(out _) ? "a mapping" : "a reference";
        string allowed = JobFields.Find(key.Value)?.Allowed ?? "a value";
        draft.Problem($"{where}: {key.Value}: expected {allowed}, got {got}.");
        yaml.SkipThisAndNestedEvents();
    }

    /// <summary>The items with commas between them; null where one is not a single value.</summary>
    private static string? ReadList(IParser yaml)
    {
        var items = new List<string>();
        bool single = true;
        yaml.Consume<SequenceStart>();
        while (!yaml.TryConsume<SequenceEnd>(out _))
        {
            if (yaml.TryConsume<Scalar>(out var item))
            {
                items.Add(item.Value);
            }
            else
            {
                single = false;
                yaml.SkipThisAndNestedEvents();
            }
        }

        return single ? string.Join(", ", items) : null;
    }

    private static long Line(IParser yaml) => yaml.Current?.Start.Line ?? 1;
}
