using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;

namespace ConvNet.Cli.Commands;

/// <summary>The options of <c>convnet train</c>. Those of the job override the job file; those of the launch cannot change the result.</summary>
internal sealed class TrainOptions
{
    private const int Most = 1024;
    private const long LongestFile = 1 << 20;

    public Argument<string?> JobFile { get; } = new("job.yaml") { Description = "Job file; the options below override it", Arity = ArgumentArity.ZeroOrOne };

    public Option<string> Out { get; } = new("--out") { Description = "Folder for the model [default: runs/MODEL-DATA]", HelpName = "DIR" };

    public Option<bool> Json { get; } = new("--json") { Description = "End with one JSON object on standard output" };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Say nothing but errors" };

    private static JobSpec Default { get; } = new();

    private Option<string> Model { get; } = JobOption("--model", "Network, see 'convnet models'", "NAME", Default.Model);

    private Option<string> Data { get; } = JobOption("--data", "digits, mnist:DIR, fashion-mnist:DIR, or a folder of IDX files", "DATA", Default.Data);

    private Option<string> Epochs { get; } = JobOption("--epochs", "Passes over the training set", "N", Default.Epochs);

    private Option<string> Batch { get; } = JobOption("--batch", "Samples of a step", "N", Default.Batch);

    private Option<string> MicroBatch { get; } = JobOption("--micro-batch", "Samples that a lane computes at a time; divides the batch", "N", Default.MicroBatch);

    private Option<string> LearningRate { get; } = JobOption("--lr", "Learning rate at the start", "X", Default.LearningRate);

    private Option<string> Momentum { get; } = JobOption("--momentum", "Share of the last step that is kept", "X", Default.Momentum);

    private Option<string> Nesterov { get; } = JobOption("--nesterov", "Look ahead along the momentum: true or false", "BOOL", "false");

    private Option<string> WeightDecay { get; } = JobOption("--weight-decay", "Pull of all parameters towards 0", "X", Default.WeightDecay);

    private Option<string> Schedule { get; } = JobOption("--schedule", "Learning rate over the job: constant or cosine", "NAME", "cosine");

    private Option<string> Seed { get; } = JobOption("--seed", "Decides initial weights and the order of samples", "N", Default.Seed);

    private Option<int> Workers { get; } = new("--workers") { Description = "Worker actors", HelpName = "N", DefaultValueFactory = _ => 1 };

    private Option<int?> Lanes { get; } = new("--lanes") { Description = "Threads of each worker [default: the processors, shared among the workers]", HelpName = "N" };

    private Option<int> Servers { get; } = new("--servers") { Description = "Parameter servers", HelpName = "N", DefaultValueFactory = _ => 1 };

    /// <summary>All options, in the order of the help.</summary>
    public IEnumerable<Option> All =>
        [.. JobOptions, Workers, Lanes, Servers, Out, Json, Quiet];

    private Option<string>[] JobOptions => [Model, Data, Epochs, Batch, MicroBatch, LearningRate, Momentum, Nesterov, WeightDecay, Schedule, Seed];

    /// <summary>The job: the file, if one is named, with the options given over it; checked as a whole.</summary>
    public JobSpec Spec(ParseResult parsed)
    {
        var draft = new JobDraft();
        if (parsed.GetValue(JobFile) is { } path)
            draft.ReadYaml(Text(path), path);
        foreach (Option<string> option in JobOptions)
        {
            if (parsed.GetResult(option) is OptionResult { Implicit: false } result)
                draft.SetOption(option.Name[2..], result.GetValueOrDefault<string>() ?? "");
        }

        return draft.ToSpec();
    }

    /// <summary>How many of each the job gets here.</summary>
    /// <exception cref="UsageException">A number is out of its range.</exception>
    public LocalClusterOptions Launch(ParseResult parsed)
    {
        foreach ((string name, int number) in new[] { ("--workers", parsed.GetValue(Workers)), ("--lanes", parsed.GetValue(Lanes) ?? 1), ("--servers", parsed.GetValue(Servers)) })
        {
            if (number is < 1 or > Most)
                throw new UsageException($"{name} is {number}; it takes 1 to {Most}.");
        }

        return new() { Workers = parsed.GetValue(Workers), Lanes = parsed.GetValue(Lanes), Servers = parsed.GetValue(Servers) };
    }

    private static string Text(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: > LongestFile }
                ? throw new UsageException($"{path}: is larger than a megabyte; that is no job file.")
                : File.ReadAllText(path);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path}: cannot be read ({missing.Message.TrimEnd('.')}).");
        }
    }

    private static Option<string> JobOption(string name, string description, string value, object standard) => new(name)
    {
        Description = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{description} [default: {standard}]"),
        HelpName = value,
    };
}
