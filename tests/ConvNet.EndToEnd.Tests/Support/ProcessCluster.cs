using System.Text.Json;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>A cluster of <c>convnet node</c> processes on loopback, with a small data set that only the coordinator has.</summary>
public sealed class ProcessCluster : IAsyncDisposable
{
    /// <summary>What requests must bring where the job API is not on loopback.</summary>
    public const string Token = "0123456789abcdef0123456789abcdef";

    private readonly SmallDigits _folder = new();
    private readonly Namespaces? _network;
    private readonly List<NodeProcess> _nodes = [];
    private JobApiClient? _client;
    private int _made;   // by several at a time

    /// <param name="network">Makes a machine for each node; null: all are on loopback. Disposed with the cluster.</param>
    public ProcessCluster(Namespaces? network = null)
    {
        _network = network;
        string data = Path.Combine(_folder.Path, "data", "small");
        Directory.CreateDirectory(data);
        foreach (string file in Directory.GetFiles(_folder.Path, "*ubyte"))
            File.Move(file, Path.Combine(data, Path.GetFileName(file)));
    }

    /// <summary>Where all the nodes' folders are.</summary>
    public string Folder => _folder.Path;

    public JobApiClient Client => _client ?? throw new InvalidOperationException("No coordinator was started.");

    public NodeProcess Coordinator => _nodes.Single(n => n.IsCoordinator);

    /// <summary>Starts a node; the first one must be the coordinator.</summary>
    public async Task<NodeProcess> StartAsync(string roles, params string[] more)
    {
        string name = $"{roles.Split(',')[0]}-{Interlocked.Increment(ref _made)}";
        var machine = _network?.Add();
        var node = await NodeProcess.StartAsync(Folder, name, roles, machine, roles.Contains("coordinator", StringComparison.Ordinal) ? more : ["--seeds", Coordinator.Address, .. more]);
        lock (_nodes)
            _nodes.Add(node);
        if (node.Jobs is { } url)
            _client = new JobApiClient(new Uri(url), _network is null ? null : Token);
        return node;
    }

    /// <summary>Starts a coordinator, servers and workers, and waits until all take part.</summary>
    public async Task<(NodeProcess[] Servers, NodeProcess[] Workers)> StartAllAsync(int servers, int workers, params string[] coordinator)
    {
        await StartAsync("coordinator", coordinator);
        var started = await Task.WhenAll(
            Enumerable.Repeat("server", servers).Concat(Enumerable.Repeat("worker", workers)).Select(role => StartAsync(role)));
        await AllUpAsync();
        return (started[..servers], started[servers..]);
    }

    /// <summary>Waits until all nodes take part.</summary>
    public async Task AllUpAsync()
    {
        while (true)
        {
            try
            {
                if ((await Client.NodesAsync(default)).Count(n => n.State == "up") == _nodes.Count)
                    return;
            }
            catch (JobApiException)
            {
                // The job manager is still starting.
            }

            await Task.Delay(50);
        }
    }

    /// <summary>Writes a job file over the small data set.</summary>
    public string WriteJob(int epochs, int seed = 1)
    {
        string path = Path.Combine(Folder, $"job-{epochs}-{seed}.yaml");
        File.WriteAllText(path, $"model: lenet5\ndata: small\nepochs: {epochs}\nbatch: 96\nmicro-batch: 16\nlr: 0.01\nseed: {seed}\n");
        return path;
    }

    /// <summary>Submits a job file as a user does, and gives the job's name.</summary>
    public async Task<string> SubmitAsync(string jobFile)
    {
        var submitted = await Convnet.RunAsync(Folder, "submit", jobFile, "--to", Coordinator.Jobs!, "--token", Token, "--json");
        Assert.True(submitted.ExitCode == 0, submitted.Error);
        return submitted.Json.GetProperty("id").GetString()!;
    }

    /// <summary>The hash of the weights that <c>convnet train</c> comes to with a job file, in one process.</summary>
    public async Task<string> TrainedHereAsync(string jobFile)
    {
        var trained = await Convnet.RunAsync(Path.Combine(Folder, "data"), "train", jobFile, "--json", "--quiet", "--out", Path.Combine(Folder, "here"));
        Assert.True(trained.ExitCode == 0, trained.Error);
        return trained.WeightsSha256;
    }

    /// <summary>Waits until a job has taken so many steps.</summary>
    public async Task StepAsync(string job, long step)
    {
        while (true)
        {
            var now = await Client.FindAsync(job, default);
            if (now.Step >= step)
                return;
            Assert.False(now.HasEnded, $"{job} is {now.State} after step {now.Step}: {now.Failure}");
            await Task.Delay(20);
        }
    }

    /// <summary>Waits for a line in a job's log.</summary>
    public async Task<JobLogEntry> LineAsync(string job, Func<JobLogEntry, bool> wanted)
    {
        while (true)
        {
            var log = await Client.LogAsync(job, 0, default);
            if (log.FirstOrDefault(wanted) is { } line)
                return line;
            var now = await Client.FindAsync(job, default);
            Assert.False(now.HasEnded, $"{job} is {now.State} without the line. {now.Failure} Its log: {string.Join(" | ", log.Select(l => l.Text))}");
            await Task.Delay(50);
        }
    }

    /// <summary>The job, once it is done.</summary>
    public async Task<JobRecord> DoneAsync(string job)
    {
        while (true)
        {
            var now = await Client.FindAsync(job, default);
            if (now.State == JobState.Done)
                return now;
            if (now.HasEnded)
                Assert.Fail($"{job} is {now.State}: {now.Failure} {JsonSerializer.Serialize(await Client.LogAsync(job, 0, default))}");
            await Task.Delay(50);
        }
    }

    /// <summary>Kills all nodes with SIGKILL.</summary>
    public async Task KillAllAsync()
    {
        foreach (var node in _nodes)
            node.Signal("KILL");
        foreach (var node in _nodes)
        {
            await node.EndAsync();
            node.Dispose();
        }

        _nodes.Clear();
    }

    /// <summary>A node that was killed or has left is no longer counted.</summary>
    public async Task<Finished> GoneAsync(NodeProcess node)
    {
        var finished = await node.EndAsync();
        _nodes.Remove(node);
        node.Dispose();
        return finished;
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        foreach (var node in _nodes)
            node.Signal("CONT");   // a stopped process cannot be waited for
        foreach (var node in _nodes)
            node.Dispose();
        await Task.CompletedTask;
        _network?.Dispose();
        _folder.Dispose();
    }
}
