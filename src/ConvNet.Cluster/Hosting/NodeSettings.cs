using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Nodes;
using ConvNet.Core.Text;

namespace ConvNet.Cluster.Hosting;

/// <summary>One setting of a node: the option <c>--name</c>, the variable <c>CONVNET_NAME</c>, and <c>convnet.name</c> in a HOCON file.</summary>
/// <param name="Name">In kebab-case.</param>
/// <param name="Value">What it takes, for the help.</param>
/// <param name="Description">What it is, for the help.</param>
public sealed record NodeSetting(string Name, string Value, string Description)
{
    /// <summary>The environment variable.</summary>
    public string Variable => $"CONVNET_{Name.Replace('-', '_').ToUpperInvariant()}";
}

/// <summary>A node's settings, put together from options, environment and a HOCON file, in this order of precedence. Keeps every problem.</summary>
public sealed class NodeSettings
{
    private readonly Func<string, string?> _option, _variable;
    private readonly string? _file;
    private readonly Config _config;
    private readonly List<string> _problems = [];

    private NodeSettings(Func<string, string?> option, Func<string, string?> variable, string? file, Config config) =>
        (_option, _variable, _file, _config) = (option, variable, file, config);

    /// <summary>All settings, in the order of the help.</summary>
    public static IReadOnlyList<NodeSetting> All { get; } =
    [
        new("roles", "ROLES", "What the node does, by comma: coordinator, server, worker [default: all three]"),
        new("host", "HOST", "The name or address by which other nodes reach this one, or auto for this machine's name [default: 127.0.0.1]"),
        new("port", "PORT", $"Port of the control plane, 0 for a free one [default: {NodeOptions.DefaultPort} with the role coordinator, otherwise 0]"),
        new("bind", "ADDRESS", "IP address to listen at [default: --host if it is an address, otherwise all]"),
        new("tensor-port", "PORT", "Port of the data plane [default: 0, a free one]"),
        new("shared-memory", "yes|no", "Whether floats between nodes of one machine are copied from memory instead of going through sockets, where the system allows it [default: yes]"),
        new("http", "URL", "Where a coordinator takes jobs [default: http://127.0.0.1:8080]"),
        new("token", "TOKEN", "What requests must bring; needed unless --http is this machine only"),
        new("seeds", "ADDRESSES", $"Coordinators to join, by comma [default: akka.tcp://convnet@127.0.0.1:{NodeOptions.DefaultPort}; a coordinator founds a cluster]"),
        new("lanes", "N", "Threads that compute [default: all cores]"),
        new("data-dir", "DIR", "Where data sets are found and kept; what a job's data names is looked for there [default: the current folder]"),
        new("work-dir", "DIR", "Where jobs, checkpoints and models are kept [default: work]"),
        new("checkpoint-every", "N|Ns", "Checkpoint after so many steps, such as 500, or seconds, such as 30s [default: 30s]"),
        new("checkpoint-keep", "N", "Keep so many checkpoints of a job [default: 3]"),
        new("audit", "FILE", "Have a server write down what each step was made of, as proof that every sample was applied once"),
        new("name", "NAME", "The node's name in lists and logs [default: host and port]"),
    ];

    /// <summary>The node.</summary>
    public NodeOptions Node { get; private set; } = new();

    /// <summary>Where a coordinator takes jobs.</summary>
    public string Http { get; private set; } = "http://127.0.0.1:8080";

    /// <summary>What requests must bring, if anything.</summary>
    public string? Token { get; private set; }

    /// <summary>Puts the settings together.</summary>
    /// <param name="option">The value of an option by name; null where it was not given.</param>
    /// <param name="variable">The value of an environment variable.</param>
    /// <param name="file">Name of the HOCON file, for errors; null where there is none.</param>
    /// <param name="text">Its text.</param>
    /// <exception cref="NodeSettingsException">Something is wrong; the message has a line for each problem.</exception>
    public static NodeSettings Read(Func<string, string?> option, Func<string, string?> variable, string? file = null, string text = "")
    {
        Config config;
        try
        {
            config = ConfigurationFactory.ParseString(text);
        }
        catch (Exception e) when (e is FormatException or ConfigurationException || e.GetType().Namespace?.StartsWith("Akka.Configuration", StringComparison.Ordinal) == true)
        {
            throw new NodeSettingsException([$"{file}: this is not HOCON: {e.Message}"]);
        }

        var settings = new NodeSettings(option, variable, file, config);
        settings.CheckNames();
        settings.ReadAll();
        return settings._problems.Count == 0 ? settings : throw new NodeSettingsException(settings._problems);
    }

    private void ReadAll()
    {
        var roles = List("roles")?.Distinct().ToArray() ?? [.. NodeRole.All];
        foreach (string wrong in roles.Where(r => !NodeRole.All.Contains(r)))
            Problem("roles", $"there is no role \"{wrong}\"; the roles are {string.Join(", ", NodeRole.All)}.");
        if (roles.Length == 0)
            Problem("roles", $"expected some of {string.Join(", ", NodeRole.All)}, got none.");
        bool coordinates = roles.Contains(NodeRole.Coordinator);

        Node = new NodeOptions
        {
            Roles = roles,
            Host = Text("host") switch
            {
                null => "127.0.0.1",
                "auto" => System.Net.Dns.GetHostName(),   // a container's, which the others of its network can look up
                var host => host,
            },
            Bind = Text("bind"),
            Port = Whole("port", 0, 65535) ?? (coordinates ? NodeOptions.DefaultPort : 0),
            TensorPort = Whole("tensor-port", 0, 65535) ?? 0,
            SharesMemory = YesOrNo("shared-memory") ?? true,
            Seeds = Seeds() ?? (coordinates ? [] : [$"akka.tcp://{NodeOptions.SystemName}@127.0.0.1:{NodeOptions.DefaultPort}"]),
            Lanes = Whole("lanes", 1, 1024) ?? Environment.ProcessorCount,
            DataDirectory = Text("data-dir") ?? ".",
            WorkDirectory = Text("work-dir") ?? "work",
            Checkpoints = Checkpoints(),
            AuditFile = Text("audit"),
            Name = Text("name"),
            Akka = _config,
        };
        Http = Text("http") ?? Http;
        Token = Text("token");

        if (Node.Bind is { } bind && !System.Net.IPAddress.TryParse(bind, out _))
            Problem("bind", $"expected an IP address, got \"{bind}\".");
        if (Node.Host is "0.0.0.0" or "::" or "*" or "+")
            Problem("host", $"\"{Node.Host}\" is no address by which others can reach this node; give its name or address, and --bind {Node.Host} to listen at all.");
    }

    private CheckpointPolicy Checkpoints()
    {
        int keep = Whole("checkpoint-keep", 1, 1000) ?? CheckpointPolicy.Default.Keep;
        if (Text("checkpoint-every") is not { } text)
            return CheckpointPolicy.Default with { Keep = keep };
        if (CheckpointPolicy.Parse(text, keep) is { } policy)
            return policy;
        Problem("checkpoint-every", $"expected a number of steps, such as 500, or of seconds, such as 30s, got \"{text}\".");
        return CheckpointPolicy.Default;
    }

    private string[]? Seeds()
    {
        var seeds = List("seeds");
        foreach (string seed in seeds ?? [])
        {
            if (!ActorPath.TryParseAddress(seed, out var address) || address.System != NodeOptions.SystemName || address.Host is null || address.Port is null)
                Problem("seeds", $"expected addresses such as akka.tcp://{NodeOptions.SystemName}@10.0.0.1:{NodeOptions.DefaultPort}, got \"{seed}\".");
        }

        return seeds;
    }

    /// <summary>A mistyped name in the file or the environment would otherwise be passed over in silence.</summary>
    private void CheckNames()
    {
        if (_config.IsEmpty || !_config.HasPath("convnet"))
            return;
        foreach (var (name, _) in _config.GetConfig("convnet").AsEnumerable())
        {
            if (All.Any(s => s.Name == name))
                continue;
            string hint = NearestWord.Of(name, All.Select(s => s.Name)) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", All.Select(s => s.Name))}.";
            _problems.Add($"{_file}: convnet.{name}: there is no such setting; {hint}");
        }
    }

    private string? Text(string name)
    {
        var setting = All.First(s => s.Name == name);
        string? text = _option(name) ?? (_variable(setting.Variable) is { Length: > 0 } value ? value : null);
        return text ?? (!_config.IsEmpty && _config.HasPath($"convnet.{name}") ? FromFile(name) : null);
    }

    private string FromFile(string name)
    {
        var value = _config.GetValue($"convnet.{name}");
        return value.IsArray() ? string.Join(",", value.GetStringList()) : value.GetString();
    }

    private string[]? List(string name) =>
        Text(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private int? Whole(string name, int least, int most)
    {
        if (Text(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most)
            return value;
        Problem(name, $"expected a whole number from {least} to {most}, got \"{text}\".");
        return least;
    }

    private bool? YesOrNo(string name)
    {
        bool? value = Text(name) switch { "yes" or "true" or "on" => true, "no" or "false" or "off" => false, _ => null };
        if (value is null && Text(name) is { } text)
            Problem(name, $"expected yes or no, got \"{text}\".");
        return value;
    }

    /// <summary>Names the place that the value came from.</summary>
    private void Problem(string name, string what)
    {
        var setting = All.First(s => s.Name == name);
        string place = _option(name) is not null ? $"--{name}"
            : _variable(setting.Variable) is { Length: > 0 } ? setting.Variable
            : $"{_file}: convnet.{name}";
        _problems.Add($"{place}: {what}");
    }
}

/// <summary>A node's settings are wrong.</summary>
public sealed class NodeSettingsException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>Every problem, a line each.</summary>
    public IReadOnlyList<string> Problems => problems;
}
