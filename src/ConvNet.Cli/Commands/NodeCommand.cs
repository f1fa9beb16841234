using System.CommandLine;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Hosting;
using ConvNet.Dashboard;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet node</c>: runs a node of a cluster until it is told to stop.</summary>
internal static class NodeCommand
{
    public static Command Create(TextWriter output)
    {
        var options = new NodeSettingOptions();
        var verbose = new Option<bool>("--verbose") { Description = "Log what the actor system does, too" };
        var command = new Command("node", "Run a node of a cluster: coordinator, server, worker, or all of them")
        {
            Description = "Run a node of a cluster: coordinator, server, worker, or all of them. Options go before the environment, and that before the file.",
        };
        options.AddTo(command);
        command.Options.Add(verbose);
        command.SetAction(async (parsed, stop) =>
        {
            NodeSettings settings = options.Read(parsed);
            var runner = new NodeRunner(
                settings.Node, new HttpOptions { Url = settings.Http, Token = settings.Token }, logging => Configure(logging, parsed.GetValue(verbose)), line => output.WriteLine(line));
            await runner.RunAsync(stop);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Configure(ILoggingBuilder logging, bool verbose)
    {
        logging.AddConsole(console => console.FormatterName = LineFormatter.FormatterName);
        logging.AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("ConvNet", LogLevel.Information);
        logging.AddFilter("Akka", verbose ? LogLevel.Information : LogLevel.Critical);   // what it means for jobs, our own say
        logging.AddFilter("Microsoft", LogLevel.Warning);
    }
}
