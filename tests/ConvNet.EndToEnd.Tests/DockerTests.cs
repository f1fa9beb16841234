using System.Diagnostics;
using System.Text.RegularExpressions;
using ConvNet.Cluster.Hosting;
using ConvNet.EndToEnd.Tests.Support;
using YamlDotNet.Serialization;

namespace ConvNet.EndToEnd.Tests;

/// <summary>What can be known of docker/ without a Docker engine: that it fits the program.</summary>
public sealed class DockerTests
{
    private static readonly string Root = FindRoot();
    private static readonly string Dockerfile = File.ReadAllText(Path.Combine(Root, "docker", "Dockerfile"));
    private static readonly Dictionary<string, Dictionary<object, object>> Services = ReadServices();

    [Fact]
    public void The_services_are_those_of_the_readme() => Assert.Equal(["coordinator", "server", "submit", "worker"], Services.Keys.Order());

    [Fact]
    public void Every_variable_is_one_that_the_program_reads()
    {
        string[] known = [.. NodeSettings.All.Select(s => s.Variable), "CONVNET_CONFIG", "CONVNET_TO", "CONVNET_TOKEN"];

        Assert.All(Services.Values.SelectMany(s => Environment(s).Keys), name => Assert.Contains(name, known));
        Assert.All(Regex.Matches(Dockerfile, "CONVNET_[A-Z_]+").Select(m => m.Value), name => Assert.Contains(name, known));
    }

    [Fact]
    public void The_settings_of_every_node_are_right()
    {
        foreach (string service in new[] { "coordinator", "server", "worker" })
        {
            var settings = NodeSettings.Read(_ => null, Environment(Services[service]).GetValueOrDefault);
            Assert.Equal([service], settings.Node.Roles);
            Assert.Equal((4053, 4054), (settings.Node.Port, settings.Node.TensorPort));
            if (service != "coordinator")
                Assert.Equal("akka.tcp://convnet@coordinator:4053", Assert.Single(settings.Node.Seeds));
        }
    }

    [Fact]
    public async Task Every_command_is_one_of_the_program()
    {
        foreach (var service in Services.Values)
        {
            string[] command = [.. ((List<object>)service["command"]).Cast<string>()];
            var help = await Convnet.RunAsync(Root, command[0], "--help");
            Assert.Equal(0, help.ExitCode);
            Assert.All(command.Where(c => c.StartsWith("--", StringComparison.Ordinal)), option => Assert.Contains(option, help.Output, StringComparison.Ordinal));
            Assert.All(command.Where(c => c.StartsWith("/app/", StringComparison.Ordinal)), file => Assert.True(File.Exists(Path.Combine(Root, file["/app/".Length..])), file));
        }
    }

    [Fact]
    public void The_image_is_built_from_what_is_here_and_runs_as_it_should()
    {
        foreach (Match copy in Regex.Matches(Dockerfile, @"^COPY (?!--from)(.*) \S+$", RegexOptions.Multiline))
            Assert.All(copy.Groups[1].Value.Split(' '), source => Assert.True(Path.Exists(Path.Combine(Root, source)), source));
        Assert.Matches(@"(?m)^ENTRYPOINT \[""dotnet"", ""/app/convnet.dll""\]$", Dockerfile);
        Assert.Matches(@"(?m)^CMD \[""node""\]$", Dockerfile);
        Assert.Matches(@"(?m)^USER \$APP_UID$", Dockerfile);
        Assert.Matches(@"(?m)^STOPSIGNAL SIGTERM$", Dockerfile);
        Assert.Contains("CMD [\"dotnet\", \"/app/convnet.dll\", \"health\"]", Dockerfile, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^EXPOSE 4053 4054 8080$", Dockerfile);
        Assert.Contains(":8080\"]", File.ReadAllText(Path.Combine(Root, "docker", "docker-compose.yml")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_container_has_the_time_to_leave_in_good_order()
    {
        int phase = int.Parse(Regex.Match(ClusterConfig.Default.GetString("akka.coordinated-shutdown.phases.before-service-unbind.timeout"), @"\d+").Value, System.Globalization.CultureInfo.InvariantCulture);

        foreach (string service in new[] { "coordinator", "server", "worker" })
            Assert.True(int.Parse(((string)Services[service]["stop_grace_period"]).TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture) > phase + 30);
    }

    [Fact]
    public void Volumes_are_the_images_folders()
    {
        string[] declared = [.. Regex.Matches(Dockerfile, @"^VOLUME \[(.*)\]$", RegexOptions.Multiline)[0].Groups[1].Value.Split(", ").Select(v => v.Trim('"'))];

        Assert.Equal(declared, ((List<object>)Services["coordinator"]["volumes"]).Cast<string>().Select(v => v.Split(':')[1]));
    }

    /// <summary>The program as it is published, run with each node's environment, but for names of hosts and ports.</summary>
    [Fact(Timeout = 240_000)]
    public async Task The_published_program_runs_as_every_service_and_stops_on_sigterm()
    {
        using var folder = new SmallDigits();
        string app = folder.File("app");
        await PublishAsync(app);
        var coordinator = Start(app, folder.Path, "coordinator", new() { ["CONVNET_HTTP"] = "http://127.0.0.1:0" });
        string seed = await coordinator.LineAsync("address "), jobs = await coordinator.LineAsync("jobs ");
        var nodes = new[] { "server", "worker" }.Select(s => Start(app, folder.Path, s, new() { ["CONVNET_SEEDS"] = seed })).ToArray();

        var submitted = Convnet.StartPublished(app, folder.Path, new Dictionary<string, string> { ["CONVNET_TO"] = jobs, ["CONVNET_TOKEN"] = ProcessCluster.Token },
            "submit", Path.Combine(Root, "config", "digits.yaml"), "--epochs", "1", "--batch", "1024", "--follow", "--json");
        var finished = await submitted.EndAsync();
        var health = Convnet.StartPublished(app, folder.Path, new Dictionary<string, string> { ["CONVNET_ROLES"] = "coordinator", ["CONVNET_HTTP"] = jobs, ["CONVNET_TOKEN"] = ProcessCluster.Token }, "health");

        Assert.True(finished.ExitCode == 0, finished.Error);
        Assert.Equal(0, (await health.EndAsync()).ExitCode);
        foreach (var node in nodes.Append(coordinator))
        {
            node.Signal("TERM");
            Assert.Equal(0, (await node.EndAsync()).ExitCode);
            node.Dispose();
        }
    }

    [Fact]
    public void The_sample_of_node_settings_is_right_and_mentions_all_of_them()
    {
        string file = Path.Combine(Root, "config", "node.conf"), text = File.ReadAllText(file);

        Assert.All(NodeSettings.All, s => Assert.Matches($"(?m)^  # {s.Name} = ", text));
        var all = NodeSettings.Read(_ => null, _ => null, file, Regex.Replace(text, @"(?m)^(\s*)# (\S+ = .*)$", "$1$2"));
        Assert.Equal("10.0.0.1", all.Node.Host);
    }

    private static Convnet Start(string app, string folder, string service, Dictionary<string, string> here)
    {
        var environment = Environment(Services[service]);
        environment["CONVNET_HOST"] = "127.0.0.1";
        environment["CONVNET_PORT"] = environment["CONVNET_TENSOR_PORT"] = "0";
        environment["CONVNET_DATA_DIR"] = Path.Combine(folder, $"data-{service}");
        environment["CONVNET_WORK_DIR"] = Path.Combine(folder, $"work-{service}");
        foreach (var (name, value) in here)
            environment[name] = value;
        return Convnet.StartPublished(app, folder, environment, [.. ((List<object>)Services[service]["command"]).Cast<string>()]);
    }

    private static async Task PublishAsync(string folder)
    {
        using var publish = Process.Start(new ProcessStartInfo(
            "dotnet", ["publish", Path.Combine(Root, "src", "ConvNet.Cli"), "-c", "Release", "--no-restore", "-o", folder, "-v", "quiet"])
        { RedirectStandardOutput = true })!;
        string said = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        Assert.True(publish.ExitCode == 0, said);
    }

    private static Dictionary<string, string> Environment(Dictionary<object, object> service) => !service.TryGetValue("environment", out object? all) ? [] :
        ((Dictionary<object, object>)all).ToDictionary(v => (string)v.Key, v => ((string)v.Value).StartsWith("${CONVNET_TOKEN", StringComparison.Ordinal) ? ProcessCluster.Token : (string)v.Value);

    private static Dictionary<string, Dictionary<object, object>> ReadServices()
    {
        var parser = new YamlDotNet.Core.MergingParser(new YamlDotNet.Core.Parser(File.OpenText(Path.Combine(Root, "docker", "docker-compose.yml"))));
        var file = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(parser);
        return ((Dictionary<object, object>)file["services"]).ToDictionary(s => (string)s.Key, s => (Dictionary<object, object>)s.Value);
    }

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ConvNet.Cluster.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
