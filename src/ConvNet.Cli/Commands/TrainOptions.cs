using System.CommandLine;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Hosting;
using ConvNet.Data.TensorBoard;

namespace ConvNet.Cli.Commands;

/// <summary>The options of <c>convnet train</c>. Those of the job override the job file; those of the launch cannot change the result.</summary>
internal sealed class TrainOptions
{
    private const int Most = 1024;

    /// <summary>The job.</summary>
    public JobOptions Job { get; } = new();

    public Option<string> Out { get; } = new("--out") { Description = "Folder for the model [default: runs/MODEL-DATA]", HelpName = "DIR" };

    private Option<string?> TensorBoard { get; } = new("--tensorboard") { Description = "Folder for event files that TensorBoard reads, while the job runs and after", HelpName = "DIR" };

    public Option<bool> NoReport { get; } = new("--no-report") { Description = "Write no report.html and no plots" };

    public Option<bool> Json { get; } = new("--json") { Description = "End with one JSON object on standard output" };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Say nothing but errors" };

    private Option<int> Workers { get; } = new("--workers") { Description = "Worker actors", HelpName = "N", DefaultValueFactory = _ => 1 };

    private Option<int?> Lanes { get; } = new("--lanes") { Description = "Threads of each worker [default: the processors, shared among the workers]", HelpName = "N" };

    private Option<int> Servers { get; } = new("--servers") { Description = "Parameter servers", HelpName = "N", DefaultValueFactory = _ => 1 };

    /// <summary>All options, in the order of the help.</summary>
    public IEnumerable<Option> All =>
        [.. Job.All, Workers, Lanes, Servers, Out, TensorBoard, NoReport, Json, Quiet];

    /// <summary>The event file that is asked for, begun; null where none is.</summary>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public EventFile? BeginEvents(ParseResult parsed)
    {
        if (parsed.GetValue(TensorBoard) is not { } folder)
            return null;
        try
        {
            return EventFile.Create(folder, TimeProvider.System.GetUtcNow());
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--tensorboard {folder}: cannot be written to ({refused.Message.TrimEnd('.')}). Choose another.");
        }
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
}
