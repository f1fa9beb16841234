using System.CommandLine;
using ConvNet.Cluster.Hosting;

namespace ConvNet.Cli.Commands;

/// <summary>The settings of a node as options: what <c>convnet node</c> and <c>convnet health</c> have in common.</summary>
internal sealed class NodeSettingOptions
{
    /// <summary>Taken if it is there and <c>--config</c> is not given.</summary>
    private const string DefaultFile = "config/node.conf";
    private const string FileVariable = "CONVNET_CONFIG";
    private const long LongestFile = 1 << 20;

    private readonly Dictionary<string, Option<string?>> _options = NodeSettings.All.ToDictionary(
        s => s.Name, s => new Option<string?>($"--{s.Name}") { Description = $"{s.Description}; {s.Variable}", HelpName = s.Value });

    private readonly Option<string?> _file = new("--config") { Description = $"HOCON file with settings [default: {FileVariable}, else {DefaultFile} if it is there]", HelpName = "FILE" };

    /// <summary>Adds the options to a command.</summary>
    public Command AddTo(Command command)
    {
        foreach (Option option in _options.Values)
            command.Options.Add(option);
        command.Options.Add(_file);
        return command;
    }

    /// <summary>The settings: options, environment, file.</summary>
    /// <exception cref="NodeSettingsException">Something is wrong; it has every problem.</exception>
    public NodeSettings Read(ParseResult parsed)
    {
        string? file = parsed.GetValue(_file)
            ?? (Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } named ? named : File.Exists(DefaultFile) ? DefaultFile : null);
        string text = "";
        if (file is not null)
        {
            if (!File.Exists(file))
                throw new NodeSettingsException([$"--config {file}: there is no such file."]);
            if (new FileInfo(file).Length > LongestFile)
                throw new NodeSettingsException([$"--config {file}: is longer than {LongestFile} bytes, and so no file of settings."]);
            text = File.ReadAllText(file);
        }

        return NodeSettings.Read(name => parsed.GetValue(_options[name]), Environment.GetEnvironmentVariable, file, text);
    }
}
