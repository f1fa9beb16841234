using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Cli.Commands;
using ConvNet.Cli.Rendering;

namespace ConvNet.Cli;

/// <summary>The <c>convnet</c> command: reads the arguments, runs the verb, turns failures into one line and an exit code.</summary>
public static class CommandLine
{
    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments after <c>convnet</c>.</param>
    /// <param name="output">Results, for people or as JSON.</param>
    /// <param name="error">Progress and errors.</param>
    /// <returns>See <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        RootCommand root = Root(output, error);
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 || WrongUsage.MistypedOptions(parsed).Any())
        {
            WrongUsage.Write(parsed, error);
            return ExitCode.WrongUsage;
        }

        using var stop = new StopSignal();
        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token);
        }
        catch (Exception failure) when (Failures.Describe(failure) is { } described)
        {
            await error.WriteLineAsync(described.Text);
            return described.ExitCode;
        }
    }

    /// <summary>All verbs.</summary>
    internal static RootCommand Root(TextWriter output, TextWriter error) => new(
        "Trains convolutional networks on one machine or many: the same bits for any number of workers, lanes and servers.")
    {
        TrainCommand.Create(output, error),
        EvaluateCommand.Create(output, error),
        PredictCommand.Create(output, error),
        ExportCommand.Create(output),
        ModelsCommand.Create(output),
        DescribeCommand.Create(output),
        BenchCommand.Create(output, error),
        NodeCommand.Create(output),
        HealthCommand.Create(output),
        SubmitCommand.Create(output, error),
        JobsCommand.Create(output),
        JobCommands.Status(output),
        JobCommands.Logs(output, error),
        JobCommands.Cancel(output),
        JobCommands.Resume(output, error),
        NodesCommand.Create(output),
        FetchCommand.Create(output),
        DataCommand.Create(output, error),
    };
}
