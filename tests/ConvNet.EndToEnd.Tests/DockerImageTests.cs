using System.Collections.Concurrent;
using ConvNet.Data.Tests.Support;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary>What the image holds, built by the Dockerfile's instructions and run with the services' environments; only names of hosts, ports and folders are this machine's.</summary>
public sealed class DockerImageTests(DockerBuild image) : IClassFixture<DockerBuild>
{
    [Fact]
    public async Task The_program_says_its_version()
    {
        using var version = Convnet.StartPublished(image.App, image.App, new Dictionary<string, string>(), "--version");

        Assert.Matches(@"^\d+\.\d+\.\d+", (await version.EndAsync()).Output);
    }

    [Fact]
    public void The_token_stays_out_of_the_build() => Assert.True(image.Ignores("docker/.env"));

    [Fact]
    public async Task Every_service_starts_is_healthy_takes_part_in_the_job_and_stops_on_sigterm()
    {
        using var folder = new TemporaryFolder();
        using var cluster = new Containers(image.App, folder.Path);
        var coordinator = await cluster.StartAsync("coordinator", []);
        Container[] members = [.. await Task.WhenAll(new[] { "server", "worker", "worker" }.Select(s => cluster.StartAsync(s, new() { ["CONVNET_SEEDS"] = coordinator.Address })))];

        foreach (var node in members.Append(coordinator))
        {
            var health = await cluster.HealthAsync(node);
            Assert.True(health.ExitCode == 0, health.Output + health.Error);
        }

        // Data that only the coordinator has, so that the workers must be able to keep what they are sent.
        var submitted = await cluster.SubmitAsync(coordinator, "--data", "small", "--epochs", "1", "--json");
        Assert.True(submitted.ExitCode == 0, submitted.Error);
        Assert.Equal("done", submitted.Json.GetProperty("state").GetString());
        foreach (var node in members.Append(coordinator))
        {
            node.Process.Signal("TERM");
            var ended = await node.Process.EndAsync().WaitAsync(Containers.Patience);
            Assert.True(ended.ExitCode == 0, $"{node.Service}: {ended.Output}{ended.Error}");
            Assert.Equal(1, (await cluster.HealthAsync(node)).ExitCode);
        }
    }

    private sealed record Container(string Service, Convnet Process, string Address, Dictionary<string, string> Environment);

    /// <summary>The services as processes.</summary>
    private sealed class Containers(string app, string folder) : IDisposable
    {
        // What the base image sets, and the proxy that Docker hands to containers where one is configured.
        private static readonly Dictionary<string, string> Around = new()
        {
            ["ASPNETCORE_HTTP_PORTS"] = "8080",
            ["DOTNET_RUNNING_IN_CONTAINER"] = "true",
            ["http_proxy"] = "http://127.0.0.1:9",
            ["no_proxy"] = "",
        };

        /// <summary>Long after it should have happened; then the test fails, and nothing it started stays.</summary>
        public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

        private readonly ConcurrentBag<Convnet> _started = [];

        /// <summary>Starts a service and waits until it says where it is.</summary>
        public async Task<Container> StartAsync(string service, Dictionary<string, string> here)
        {
            string own = Path.Combine(folder, $"{service}-{Guid.NewGuid():N}");
            var environment = Join(Around, DockerFolder.EnvironmentOf(service), here, new()
            {
                ["CONVNET_HOST"] = "127.0.0.1",
                ["CONVNET_PORT"] = "0",
                ["CONVNET_TENSOR_PORT"] = "0",
                ["CONVNET_DATA_DIR"] = Path.Combine(own, "data"),
                ["CONVNET_WORK_DIR"] = Path.Combine(own, "work"),
            });
            if (service == "coordinator")
            {
                environment["CONVNET_HTTP"] = "http://127.0.0.1:0";
                SmallSet.Write(Path.Combine(own, "data", "small"), training: 1500, test: 420);
            }

            var process = Convnet.StartPublished(app, app, environment, [.. DockerFolder.Compose.Services[service].Command]);
            _started.Add(process);
            string address = await process.LineAsync("address ").WaitAsync(Patience);
            environment["CONVNET_PORT"] = address.Split(':')[^1];
            if (service == "coordinator")
                environment["CONVNET_HTTP"] = await process.LineAsync("jobs ").WaitAsync(Patience);
            return new Container(service, process, address, environment);
        }

        /// <summary>Runs the image's health check beside a service.</summary>
        public async Task<Finished> HealthAsync(Container node)
        {
            string[] check = DockerFolder.Image("HEALTHCHECK").Single().Exec!;
            using var health = Convnet.StartPublished(app, app, node.Environment, check[2..]);
            return await health.EndAsync().WaitAsync(Patience);
        }

        /// <summary>Runs the service that submits the sample job, with more options.</summary>
        public async Task<Finished> SubmitAsync(Container coordinator, params string[] more)
        {
            var environment = Join(Around, DockerFolder.EnvironmentOf("submit"), new() { ["CONVNET_TO"] = coordinator.Environment["CONVNET_HTTP"] });
            string[] command = [.. DockerFolder.Compose.Services["submit"].Command.Select(w => w.Replace("/app/", $"{app}/", StringComparison.Ordinal)), .. more];
            using var submit = Convnet.StartPublished(app, folder, environment, command);
            return await submit.EndAsync().WaitAsync(Patience);
        }

        public void Dispose()
        {
            foreach (var process in _started)
                process.Dispose();
        }

        private static Dictionary<string, string> Join(params Dictionary<string, string>[] all) =>
            all.SelectMany(one => one).GroupBy(v => v.Key).ToDictionary(v => v.Key, v => v.Last().Value);
    }
}
