using ConvNet.Dashboard;
using ConvNet.Dashboard.Tests.Support;
using ConvNet.Data.Tests.Support;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary>What only a process of its own can show of the commands that ask a coordinator: signals and the environment.</summary>
public sealed class FollowTests : IDisposable
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ctrl_C_while_following_leaves_the_job_running_and_says_so()
    {
        await using Server server = await Server.StartAsync();
        using Convnet run = Convnet.Start(_folder.Path, new Dictionary<string, string> { ["CONVNET_TO"] = server.Url }, "submit", "--follow", "--json");
        await server.Jobs.FollowedAsync("j1");
        server.Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        await run.SaysAsync("started");

        run.Signal("INT");
        Finished finished = await run.EndAsync();

        Assert.Equal(130, finished.ExitCode);
        Assert.Contains("j1 goes on without this command: 'convnet logs j1 -f' shows it again, 'convnet cancel j1' ends it.", finished.Error, StringComparison.Ordinal);
        Assert.Equal("running", finished.Json.GetProperty("state").GetString());
        Assert.Equal("running", (await server.GetAsync("/api/jobs/j1")).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task The_address_and_the_token_come_from_the_environment()
    {
        await using Server server = await Server.StartAsync(new HttpOptions { Url = "http://127.0.0.1:0", Token = Token });
        var environment = new Dictionary<string, string> { ["CONVNET_TO"] = server.Url, ["CONVNET_TOKEN"] = Token };

        Finished nodes = await Convnet.RunAsync(_folder.Path, environment, "nodes", "--json");
        Finished other = await Convnet.RunAsync(_folder.Path, environment, "nodes", "--token", "another");

        Assert.Equal(0, nodes.ExitCode);
        Assert.Equal(2, nodes.Json.GetProperty("nodes").GetArrayLength());
        Assert.Equal(2, other.ExitCode);
    }
}
