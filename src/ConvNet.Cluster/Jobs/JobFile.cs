using ConvNet.Core.Models;
using ConvNet.Core.Schedules;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job that cannot be, with everything that is wrong with it, a line each: file and line, or option; what it is; what is allowed.</summary>
public sealed class JobFileException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>The problems.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}

/// <summary>Reads jobs from YAML files and from options, which have the same names; checks all fields in one go.</summary>
/// <remarks>A job file is a flat list of settings: data, never code. An option given beside it overrides its setting.</remarks>
public static class JobFile
{
    private const long LongestFile = 1 << 20;

    /// <summary>Reads a job file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Options given beside it, by name without dashes.</param>
    /// <exception cref="JobFileException">Something is wrong; all of it is told.</exception>
    public static JobSpec Read(string path, IReadOnlyDictionary<string, string>? options = null)
    {
        string text;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > LongestFile })
                throw new JobFileException([$"{path}: is larger than a megabyte; that is no job file."]);
            text = File.ReadAllText(path);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new JobFileException([$"{path}: cannot be read ({missing.Message.TrimEnd('.')})."]);
        }

        return Parse(text, path, options);
    }

    /// <summary>Reads a job from YAML text.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="file">Its file's name, for messages.</param>
    /// <param name="options">Options given beside it, by name without dashes.</param>
    /// <exception cref="JobFileException">Something is wrong; all of it is told.</exception>
    public static JobSpec Parse(string yaml, string file, IReadOnlyDictionary<string, string>? options = null)
    {
        var problems = new List<string>();
        var settings = new Dictionary<string, JobSetting>();
        foreach ((string name, YamlNode value, string where) in Entries(yaml, file, problems))
        {
            if (value is not YamlScalarNode { Value: { } text })
                problems.Add($"{where}: {name}: takes one value, got a list or a group.");
            else if (!settings.TryAdd(name, new JobSetting(text, where, name)))
                problems.Add($"{where}: {name}: is set twice; remove one of them.");
        }

        return Build(settings, options, problems);
    }

    /// <summary>A job from options alone.</summary>
    /// <param name="options">By name without dashes.</param>
    /// <exception cref="JobFileException">Something is wrong; all of it is told.</exception>
    public static JobSpec FromOptions(IReadOnlyDictionary<string, string> options) => Build([], options, []);

    private static IEnumerable<(string Name, YamlNode Value, string Where)> Entries(string yaml, string file, List<string> problems)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException broken)
        {
            problems.Add($"{file}:{broken.Start.Line}: is not YAML: {broken.Message.TrimEnd('.')}.");
            yield break;
        }

        if (stream.Documents.Count == 0)
            yield break;
        if (stream.Documents.Count > 1 || stream.Documents[0].RootNode is not YamlMappingNode root)
        {
            problems.Add($"{file}:1: takes a list of settings such as 'model: lenet5', one on each line.");
            yield break;
        }

        foreach ((YamlNode key, YamlNode value) in root.Children)
            yield return (key is YamlScalarNode scalar ? scalar.Value ?? "" : "?", value, $"{file}:{key.Start.Line}");
    }

    private static JobSpec Build(Dictionary<string, JobSetting> settings, IReadOnlyDictionary<string, string>? options, List<string> problems)
    {
        foreach ((string name, string text) in options ?? new Dictionary<string, string>())
            settings[name] = new JobSetting(text, null, $"--{name}");
        var reader = new JobSettings(settings, problems);
        var standard = new JobSpec();
        var spec = new JobSpec(
            reader.Text("model", standard.Model, ModelZoo.Find(settings.GetValueOrDefault("model")?.Text ?? standard.Model) != null, [.. ModelZoo.All.Select(m => m.Name)]),
            reader.Text("data", standard.Data, settings.GetValueOrDefault("data")?.Text != "", ["digits", "mnist:DIR", "fashion-mnist:DIR", "a folder"]),
            reader.Whole("epochs", standard.Epochs, 1, 100_000),
            reader.Whole("batch", standard.Batch, 1, 1_000_000),
            reader.Whole("micro-batch", standard.MicroBatch, 1, 65_536),
            reader.Seed("seed", standard.Seed),
            reader.Number("lr", standard.LearningRate, 0, true, 1000, true),
            reader.Number("momentum", standard.Momentum, 0, false, 1, true),
            reader.Flag("nesterov", standard.Nesterov),
            reader.Number("weight-decay", standard.WeightDecay, 0, false, 1, false),
            reader.Text("schedule", "cosine", Core.Schedules.LearningRateSchedule.Find(settings.GetValueOrDefault("schedule")?.Text ?? "cosine") != null, Core.Schedules.LearningRateSchedule.Names) == "constant"
                ? LearningRateSchedule.Constant
                : LearningRateSchedule.Cosine);
        if (spec.Batch % spec.MicroBatch != 0 && !reader.IsWrong("batch") && !reader.IsWrong("micro-batch"))
        {
            JobSetting? at = settings.GetValueOrDefault("micro-batch") ?? settings.GetValueOrDefault("batch");
            problems.Add($"{at?.Place ?? "job"}: a batch of {spec.Batch} is not a whole number of micro-batches of {spec.MicroBatch}; choose a multiple, such as {Math.Max(1, spec.Batch / spec.MicroBatch) * spec.MicroBatch}.");
        }

        reader.ReportUnknown();
        return problems.Count == 0 ? spec : throw new JobFileException(problems);
    }
}
