using System.Text.RegularExpressions;
using ConvNet.Cluster.Hosting;
using ConvNet.Dashboard;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary>The files of docker/ and config/node.conf say what the program understands, and say the same to each other.</summary>
public sealed class DockerTests
{
    private static readonly Dictionary<string, ComposeService> Services = DockerFolder.Compose.Services;
    private static readonly string[] Read = [.. NodeSettings.All.Select(s => s.Variable), "CONVNET_CONFIG", "CONVNET_TO"];

    [Fact]
    public void A_cluster_has_a_coordinator_servers_and_workers_and_the_sample_job_waits_to_be_asked_for()
    {
        Assert.Equal(["coordinator", "server", "worker"], DockerFolder.Nodes.Order());
        Assert.Equal(["submit"], Services.Keys.Except(DockerFolder.Nodes));
        Assert.Equal(["submit"], Services["submit"].Profiles);
        Assert.All(DockerFolder.Nodes, node => Assert.Empty(Services[node].Profiles));
        Assert.All(DockerFolder.Nodes, node => Assert.Equal([node], DockerFolder.SettingsOf(node).Node.Roles));
    }

    [Fact]
    public void Every_variable_is_one_that_the_program_reads()
    {
        string[] set = [.. Services.Values.SelectMany(s => s.Environment.Keys), .. DockerFolder.Image("ENV").SelectMany(i => i.Words).Select(w => w.Split('=')[0])];

        Assert.All(set.Where(name => name.StartsWith("CONVNET", StringComparison.OrdinalIgnoreCase)), name => Assert.Contains(name, Read));
        Assert.Equal(["no_proxy"], set.Where(name => !name.StartsWith("CONVNET", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public void What_people_give_is_in_the_sample_and_the_token_has_no_value_that_others_know()
    {
        var sample = Regex.Matches(DockerFolder.Text("docker/.env.example"), @"(?m)^(\w+)=(.*)$").ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);

        Assert.Equal(DockerFolder.Given.Order(), sample.Keys.Order());
        Assert.Equal("", sample["CONVNET_TOKEN"]);
        Assert.All([Services["coordinator"], Services["submit"]], service => Assert.StartsWith("${CONVNET_TOKEN:?", service.Environment["CONVNET_TOKEN"], StringComparison.Ordinal));
        Assert.Contains("\n/docker/.env\n", DockerFolder.Text(".gitignore"), StringComparison.Ordinal);
    }

    [Fact]
    public void Ports_are_the_same_wherever_they_are_named()
    {
        var settings = DockerFolder.Nodes.ToDictionary(n => n, DockerFolder.SettingsOf);
        var coordinator = settings["coordinator"];
        int http = new Uri(coordinator.Http).Port;

        Assert.Equal(
            settings.Values.SelectMany(s => new[] { s.Node.Port, s.Node.TensorPort }).Append(http).Distinct().Order(),
            DockerFolder.Image("EXPOSE").SelectMany(i => i.Words).Select(int.Parse).Order());
        Assert.All(settings.Where(s => s.Key != "coordinator"), s => Assert.Equal([$"akka.tcp://convnet@{coordinator.Node.Host}:{coordinator.Node.Port}"], s.Value.Node.Seeds));
        Assert.Empty(coordinator.Node.Seeds);
        Assert.Equal($"http://coordinator:{http}", Services["submit"].Environment["CONVNET_TO"]);
        Assert.Equal("coordinator", Services["submit"].Environment["no_proxy"]);
        Assert.Equal([$"127.0.0.1:{http}:{http}"], Services.Values.SelectMany(s => s.Ports));   // the ports between nodes have no passwords: they stay inside
        new HttpOptions { Url = coordinator.Http, Token = coordinator.Token }.Validate();
    }

    [Fact]
    public void Nodes_are_found_by_names_that_the_network_knows()
    {
        Assert.Equal(("coordinator", "coordinator"), (Services["coordinator"].Hostname, DockerFolder.SettingsOf("coordinator").Node.Host));

        // One name for all replicas would be none: each has its container's.
        Assert.All(new[] { "server", "worker" }, node => Assert.Null(Services[node].Hostname));
        Assert.All(new[] { "server", "worker" }, node => Assert.Equal(System.Net.Dns.GetHostName(), DockerFolder.SettingsOf(node).Node.Host));
    }

    [Fact]
    public void Nothing_runs_as_root_or_with_more_than_it_needs()
    {
        Assert.Equal(["$APP_UID"], DockerFolder.Image("USER").Select(i => i.Arguments));
        foreach (var service in Services.Values)
        {
            Assert.True(service.ReadOnly);
            Assert.Equal(["ALL"], service.CapDrop);
            Assert.Equal(["no-new-privileges:true"], service.SecurityOpt);
            Assert.Equal(["/tmp"], service.Tmpfs);
        }
    }

    [Fact]
    public void The_program_gets_its_signals_and_is_asked_how_it_is()
    {
        string[] program = Assert.Single(DockerFolder.Image("ENTRYPOINT")).Exec!;

        Assert.Equal(["dotnet", "/app/convnet.dll"], program);
        Assert.Equal(["node"], Assert.Single(DockerFolder.Image("CMD")).Exec!);
        Assert.Equal("SIGTERM", Assert.Single(DockerFolder.Image("STOPSIGNAL")).Arguments);
        Assert.Equal([.. program, "health"], Assert.Single(DockerFolder.Image("HEALTHCHECK")).Exec!);
        Assert.All(Services.Where(s => s.Key != "coordinator"), s => Assert.Equal(("coordinator", "service_healthy"), (Assert.Single(s.Value.DependsOn).Key, s.Value.DependsOn.Values.Single().Condition)));
    }

    [Fact]
    public void A_container_has_the_time_to_leave_in_good_order() => Assert.All(DockerFolder.Nodes, node =>
        Assert.True(int.Parse(Services[node].StopGracePeriod!.TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture) > NodeRunner.ShutdownTimeout.TotalSeconds));

    [Fact]
    public void What_is_to_be_kept_lies_on_volumes_that_the_nodes_user_may_write_to()
    {
        string[] declared = Assert.Single(DockerFolder.Image("VOLUME")).Exec!;
        var node = DockerFolder.SettingsOf("coordinator").Node;
        string[][] mounts = [.. Services["coordinator"].Volumes.Select(v => v.Split(':'))];

        Assert.Equal([node.DataDirectory, node.WorkDirectory], declared);
        Assert.Equal(declared, mounts.Select(m => m[1]));
        Assert.Equal(DockerFolder.Compose.Volumes.Keys.Order(), mounts.Select(m => m[0]).Order());
        Assert.Equal($"mkdir {string.Join(' ', declared)} && chown $APP_UID:$APP_UID {string.Join(' ', declared)}", Assert.Single(DockerFolder.Image("RUN")).Arguments);

        // Workers and servers that are scaled must not share theirs.
        Assert.All(new[] { "server", "worker" }, service => Assert.Empty(Services[service].Volumes));
    }

    [Fact]
    public void Every_service_is_built_from_this_repository() => Assert.All(Services.Values, service =>
    {
        Assert.Equal("convnet", service.Image);
        Assert.Equal(DockerFolder.Root, Path.GetFullPath(Path.Combine(DockerFolder.Root, "docker", service.Build!.Context)));
        Assert.True(File.Exists(Path.Combine(DockerFolder.Root, service.Build.Dockerfile)));
    });

    [Fact]
    public async Task Every_command_is_one_of_the_program()
    {
        string readme = DockerFolder.Text("docker/README.md");
        string[][] commands = [.. Services.Values.Select(s => s.Command.ToArray()), .. Regex.Matches(readme, @"(?m)^    (?:docker compose .* dotnet convnet\.dll|convnet) (.*?)(?: +#.*)?$").Select(m => m.Groups[1].Value.Split(' '))];
        Assert.Contains(commands, c => c[0] == "fetch");
        foreach (var verb in commands.GroupBy(c => c[0]))
        {
            var help = await Convnet.RunAsync(Path.GetTempPath(), verb.Key, "--help");
            Assert.True(help.ExitCode == 0, $"{verb.Key}: {help.Error}");
            Assert.All(verb.SelectMany(c => c).Where(c => c.StartsWith('-')), option => Assert.Contains(option, help.Output, StringComparison.Ordinal));
        }

        foreach (Match asked in Regex.Matches(readme, @"(?m)^    docker compose .*?(?:run --rm|exec|cp|--scale) (\w+)"))
            Assert.Contains(asked.Groups[1].Value, Services.Keys);
    }

    [Fact]
    public void The_sample_of_node_settings_changes_nothing_as_it_is_and_every_line_of_it_can_be_used()
    {
        string text = DockerFolder.Text("config/node.conf");
        var untouched = NodeSettings.Read(_ => null, _ => null, "node.conf", text);
        var nothing = NodeSettings.Read(_ => null, _ => null);
        var all = NodeSettings.Read(_ => null, _ => null, "node.conf", Regex.Replace(text, @"(?m)^(\s*)# (\S+ = .*)$", "$1$2"));

        Assert.All(NodeSettings.All, s => Assert.Matches($"(?m)^  # {s.Name} = ", text));
        Assert.Equal(nothing.Node with { Roles = [], Seeds = [], Akka = null! }, untouched.Node with { Roles = [], Seeds = [], Akka = null! });
        Assert.Equal((nothing.Http, nothing.Token), (untouched.Http, untouched.Token));
        Assert.Equal(("10.0.0.1", 4054, "worker-1"), (all.Node.Host, all.Node.TensorPort, all.Node.Name));
        Assert.Equal(TimeSpan.FromSeconds(8), all.Node.Akka.GetTimeSpan("akka.cluster.failure-detector.acceptable-heartbeat-pause"));
    }
}
