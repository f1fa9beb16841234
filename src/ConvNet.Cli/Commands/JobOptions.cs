using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Jobs;

namespace ConvNet.Cli.Commands;

/// <summary>The job file and the options that override it: what <c>convnet train</c> and <c>convnet submit</c> have in common.</summary>
internal sealed class JobOptions
{
    private const long LongestFile = 1 << 20;

    public Argument<string?> JobFile { get; } = new("job.yaml") { Description = "Job file; the options below override it", Arity = ArgumentArity.ZeroOrOne };

    private static JobSpec Default { get; } = new();

    private readonly Option<string>[] _recipe = RecipeOptions.Create();

    private Option<string> Model { get; } = JobOption("--model", "Network, see 'convnet models'", "NAME", Default.Model);

    private Option<string> Data { get; } = JobOption("--data", "digits, mnist:DIR, fashion-mnist:DIR, cifar10:DIR, cifar100:DIR, images:SIZE:DIR, or a folder of IDX files", "DATA", Default.Data);

    private Option<string> Epochs { get; } = JobOption("--epochs", "Passes over the training set", "N", Default.Epochs);

    private Option<string> Batch { get; } = JobOption("--batch", "Samples of a step", "N", Default.Batch);

    private Option<string> MicroBatch { get; } = JobOption("--micro-batch", "Samples that a lane computes at a time; divides the batch", "N", Default.MicroBatch);

    private Option<string> LearningRate { get; } = JobOption("--lr", "Learning rate at the start", "X", Default.LearningRate);

    private Option<string> Momentum { get; } = JobOption("--momentum", "Share of the last step that is kept", "X", Default.Momentum);

    private Option<string> Nesterov { get; } = JobOption("--nesterov", "Look ahead along the momentum: true or false", "BOOL", "false");

    private Option<string> WeightDecay { get; } = JobOption("--weight-decay", "Pull of all parameters towards 0", "X", Default.WeightDecay);

    private Option<string> Schedule { get; } = JobOption("--schedule", "Learning rate over the job: constant, step, multi-step, exponential, cosine, polynomial or one-cycle", "NAME", "cosine");

    private Option<string> Augment { get; } = JobOption("--augment", "Changes to training images by chance, such as \"crop 4, flip\"", "LIST", "none");

    private Option<string> Validation { get; } = JobOption("--validation", "Share of the training images that is held out and measured on in place of the test set", "X", 0);

    private Option<string> SkipCorrupt { get; } = JobOption("--skip-corrupt", "Leave damaged pictures out: true or false", "BOOL", "false");

    private Option<string> Init { get; } = JobOption("--init", "Begin with the weights of a safetensors file or a trained model's folder", "PATH", "none, but by seed");

    private Option<string> Freeze { get; } = JobOption("--freeze", "Tensors that stay as they are, such as \"conv*, bn1.*\"", "LIST", "none");

    private Option<string> Seed { get; } = JobOption("--seed", "Decides initial weights and the order of samples", "N", Default.Seed);

    /// <summary>All options, in the order of the help.</summary>
    public Option<string>[] All => [Model, Data, Epochs, Batch, MicroBatch, LearningRate, Momentum, Nesterov, WeightDecay, Schedule, .. _recipe, Augment, Validation, SkipCorrupt, Seed, Init, Freeze];

    /// <summary>The job: the file, if one is named, with the options given over it; checked as a whole.</summary>
    /// <exception cref="JobFileException">Something is wrong; it has every problem.</exception>
    public JobSpec Spec(ParseResult parsed)
    {
        var draft = new JobDraft();
        if (ReadFile(parsed) is { } file)
            draft.ReadYaml(file.Text, file.Path);
        foreach ((string field, string text) in Overrides(parsed))
            draft.SetOption(field, text);
        return draft.ToSpec();
    }

    /// <summary>The job file's text and path; null where none is named.</summary>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public (string Text, string Path)? ReadFile(ParseResult parsed) => parsed.GetValue(JobFile) is { } path ? (Text(path), path) : null;

    /// <summary>The fields that options were given for, with their values.</summary>
    public IEnumerable<(string Field, string Text)> Overrides(ParseResult parsed) =>
        from option in All
        let result = parsed.GetResult(option)
        where result is { Implicit: false }
        select (option.Name[2..], result.GetValueOrDefault<string>() ?? "");

    /// <summary>The text of a job file.</summary>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public static string Text(string path)
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

    internal static Option<string> JobOption(string name, string description, string value, object standard) => new(name)
    {
        Description = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{description} [default: {standard}]"),
        HelpName = value,
    };
}
