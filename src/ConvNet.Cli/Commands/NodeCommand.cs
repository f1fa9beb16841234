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
    /// <summary>Taken if it is there and <c>--config</c> is not given.</summary>
    private const string DefaultFile = "config/node.conf";
    private const string FileVariable = "CONVNET_CONFIG";
    private const long LongestFile = 1 << 20;

    public static Command Create(TextWriter output)
    {
        var file = new Option<string?>("--config") { Description = $"HOCON file with settings [default: {FileVariable}, else {DefaultFile} if it is there]", HelpName = "FILE" };
        var verbose = new Option<bool>("--verbose") { Description = "Log what the actor system does, too" };
        var options = NodeSettings.All.ToDictionary(
            s => s.Name, s => new Option<string?>($"--{s.Name}") { Description = $"{s.Description}; {s.Variable}", HelpName = s.Value });
        var command = new Command("node", "Run a node of a cluster: coordinator, server, worker, or all of them")
        {
            Description = "Run a node of a cluster: coordinator, server, worker, or all of them. Options go before the environment, and that before the file.",
        };
        foreach (Option option in options.Values)
            command.Options.Add(option);
        command.Options.Add(file);
        command.Options.Add(verbose);
        command.SetAction(async (parsed, stop) =>
        {
            NodeSettings settings = Read(name => parsed.GetValue(options[name]), parsed.GetValue(file));
            var runner = new NodeRunner(
                settings.Node, new HttpOptions { Url = settings.Http, Token = settings.Token }, logging => Configure(logging, parsed.GetValue(verbose)), line => output.WriteLine(line));
            await runner.RunAsync(stop);
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>The settings of a node: options, environment, file.</summary>
    public static NodeSettings Read(Func<string, string?> option, string? file)
    {
        file ??= Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } named ? named : File.Exists(DefaultFile) ? DefaultFile : null;
        string text = "";
        if (file is not null)
        {
            if (!File.Exists(file))
                throw new NodeSettingsException([$"--config {file}: there is no such file."]);
            if (new FileInfo(file).Length > LongestFile)
                throw new NodeSettingsException([$"--config {file}: is longer than {LongestFile} bytes, and so no file of settings."]);
            text = File.ReadAllText(file);
        }

        return NodeSettings.Read(option, Environment.GetEnvironmentVariable, file, text);
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
