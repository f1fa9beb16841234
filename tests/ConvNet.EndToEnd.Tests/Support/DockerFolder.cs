using System.Text.RegularExpressions;
using ConvNet.Cluster.Hosting;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>The compose file, with every key that ours uses; reading it with another is an error, so a misspelt one is found.</summary>
public sealed class ComposeFile
{
    public Dictionary<string, ComposeService> Services { get; set; } = [];

    public Dictionary<string, object?> Volumes { get; set; } = [];

    [YamlMember(Alias = "x-convnet", ApplyNamingConventions = false)]
    public object? Convnet { get; set; }

    [YamlMember(Alias = "x-node", ApplyNamingConventions = false)]
    public object? Node { get; set; }

    [YamlMember(Alias = "x-member", ApplyNamingConventions = false)]
    public object? Member { get; set; }
}

/// <summary>One service of it.</summary>
public sealed class ComposeService
{
    public string? Image { get; set; }

    public ComposeBuild? Build { get; set; }

    public bool Init { get; set; }

    public bool ReadOnly { get; set; }

    public List<string> Tmpfs { get; set; } = [];

    public List<string> CapDrop { get; set; } = [];

    public List<string> SecurityOpt { get; set; } = [];

    public List<string> Command { get; set; } = [];

    public string? Restart { get; set; }

    public string? StopGracePeriod { get; set; }

    public Dictionary<string, ComposeDependency> DependsOn { get; set; } = [];

    public string? Hostname { get; set; }

    public Dictionary<string, string> Environment { get; set; } = [];

    public List<string> Ports { get; set; } = [];

    public List<string> Volumes { get; set; } = [];

    public List<string> Profiles { get; set; } = [];
}

public sealed class ComposeBuild
{
    public string Context { get; set; } = "";

    public string Dockerfile { get; set; } = "";
}

public sealed class ComposeDependency
{
    public string Condition { get; set; } = "";
}

/// <summary>One instruction of the Dockerfile.</summary>
/// <param name="Stage">Stages count from 0.</param>
/// <param name="Name">In capitals, such as <c>COPY</c>.</param>
/// <param name="Arguments">The rest of the line.</param>
public sealed record DockerInstruction(int Stage, string Name, string Arguments)
{
    /// <summary>The arguments by spaces.</summary>
    public string[] Words => Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The words of an exec form, <c>["a", "b"]</c>, found anywhere in the arguments; null where there is none.</summary>
    public string[]? Exec => Regex.Match(Arguments, @"\[(.*)\]") is { Success: true } list ? [.. Regex.Matches(list.Groups[1].Value, "\"([^\"]*)\"").Select(m => m.Groups[1].Value)] : null;
}

/// <summary>What docker/ holds, as Docker would read it.</summary>
public static class DockerFolder
{
    /// <summary>The repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>All instructions, in order.</summary>
    public static IReadOnlyList<DockerInstruction> Instructions { get; } = ReadDockerfile();

    public static ComposeFile Compose { get; } = ReadCompose();

    /// <summary>The services that are nodes; the others are commands.</summary>
    public static IEnumerable<string> Nodes => Compose.Services.Where(s => s.Value.Command[0] == "node").Select(s => s.Key);

    /// <summary>The variables that the compose file takes from docker/.env or the environment.</summary>
    public static IEnumerable<string> Given => Compose.Services.Values.SelectMany(s => s.Environment.Values).SelectMany(v => Regex.Matches(v, @"\$\{(\w+)")).Select(m => m.Groups[1].Value).Distinct();

    /// <summary>The text of a file of the repository.</summary>
    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>The image's instructions of one name: those of the last stage.</summary>
    public static IEnumerable<DockerInstruction> Image(string name) => Instructions.Where(i => i.Stage == Instructions[^1].Stage && i.Name == name);

    /// <summary>The environment that a service's process has: the image's, then the service's, with <see cref="ProcessCluster.Token"/> as the token.</summary>
    public static Dictionary<string, string> EnvironmentOf(string service)
    {
        var environment = Image("ENV").SelectMany(i => i.Words).Select(w => w.Split('=', 2)).ToDictionary(w => w[0], w => w[1]);
        foreach (var (name, value) in Compose.Services[service].Environment)
            environment[name] = Regex.Replace(value, @"\$\{(\w+):([?-])([^}]*)\}", Interpolate);
        return environment;
    }

    /// <summary>The settings that a node reads from it.</summary>
    public static NodeSettings SettingsOf(string service) => NodeSettings.Read(_ => null, EnvironmentOf(service).GetValueOrDefault);

    private static string Interpolate(Match variable) =>
        variable.Groups[1].Value == "CONVNET_TOKEN" ? ProcessCluster.Token
        : variable.Groups[2].Value == "-" ? variable.Groups[3].Value
        : throw new InvalidOperationException($"The compose file requires {variable.Groups[1].Value}, and no test gives it.");

    private static List<DockerInstruction> ReadDockerfile()
    {
        int stage = -1;
        List<DockerInstruction> instructions = [];
        foreach (string line in Text("docker/Dockerfile").Replace("\\\n", " ", StringComparison.Ordinal).Split('\n').Where(l => l.Length > 0 && l[0] != '#'))
        {
            string[] parts = line.Split(' ', 2, StringSplitOptions.TrimEntries);
            stage += parts[0] == "FROM" ? 1 : 0;
            instructions.Add(new(stage, parts[0], parts[1]));
        }

        return instructions;
    }

    private static ComposeFile ReadCompose()
    {
        using var text = new StringReader(Text("docker/docker-compose.yml"));
        return new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build().Deserialize<ComposeFile>(new MergingParser(new Parser(text)));
    }

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ConvNet.Cluster.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is in no checkout of the repository.");
        return folder;
    }
}
