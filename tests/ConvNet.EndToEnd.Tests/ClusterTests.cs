using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary>A coordinator, two servers and three workers, each a process of its own: whatever happens to them, the weights are those of <c>convnet train</c>.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private const long Steps = Expected.Epochs * Expected.StepsPerEpoch;

    private readonly ProcessCluster _cluster = new();
    private readonly string _job;
    private Task<string> _expected = null!;

    public ClusterTests() => _job = _cluster.WriteJob(Expected.Epochs);

    public Task InitializeAsync()
    {
        _expected = Expected.Of(_cluster, _job);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact(Timeout = 240_000)]
    public async Task Undisturbed()
    {
        await _cluster.StartAllAsync(servers: 2, workers: 3);

        var submitted = await Convnet.RunAsync(_cluster.Folder, "submit", _job, "--to", _cluster.Coordinator.Jobs!, "--follow", "--json");

        Assert.True(submitted.ExitCode == 0, submitted.Error);
        Assert.Equal(await _expected, submitted.WeightsSha256);
        Audit.AssertEverySampleOnce(_cluster.Folder, "j1", Steps);

        // The model can be fetched, and is the same again.
        var fetched = await Convnet.RunAsync(_cluster.Folder, "fetch", "j1", "--to", _cluster.Coordinator.Jobs!, "--out", "fetched", "--json");
        Assert.True(fetched.ExitCode == 0, fetched.Error);
        var evaluated = await Convnet.RunAsync(_cluster.Folder, "evaluate", "fetched", "--data", "data/small", "--json");
        Assert.Equal(await _expected, evaluated.WeightsSha256);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_worker_joins_in_the_middle()
    {
        await _cluster.StartAllAsync(servers: 2, workers: 2);
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.StepAsync(job, 20);

        await _cluster.StartAsync("worker");
        await _cluster.LineAsync(job, l => l.Kind == "worker-joined" && l.Text.Contains("3 in all", StringComparison.Ordinal));

        await EndsWithTheSameBits(job);
    }

    [Theory(Timeout = 240_000)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Workers_are_killed_in_the_middle_of_a_step(int victims)
    {
        var (_, workers) = await _cluster.StartAllAsync(servers: 2, workers: 3);
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.StepAsync(job, 20);

        foreach (var worker in workers[..victims])
            worker.Signal("KILL");
        foreach (var worker in workers[..victims])
        {
            await _cluster.LineAsync(job, l => l.Kind == "worker-lost" && l.Text.Contains(worker.Name, StringComparison.Ordinal));
            await _cluster.GoneAsync(worker);
        }

        await EndsWithTheSameBits(job);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_worker_is_frozen_and_thaws()
    {
        var (_, workers) = await _cluster.StartAllAsync(servers: 2, workers: 3);
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.StepAsync(job, 20);

        workers[0].Signal("STOP");
        await _cluster.LineAsync(job, l => l.Kind == "worker-behind");
        workers[0].Signal("CONT");

        await EndsWithTheSameBits(job);
        await _cluster.AllUpAsync();
    }

    [Fact(Timeout = 240_000)]
    public async Task A_worker_leaves_in_good_order()
    {
        var (_, workers) = await _cluster.StartAllAsync(servers: 2, workers: 3);
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.StepAsync(job, 20);

        workers[0].Signal("TERM");
        var left = await _cluster.GoneAsync(workers[0]);

        Assert.Equal(0, left.ExitCode);
        await _cluster.LineAsync(job, l => l.Kind == "worker-lost" && l.Text.Contains("leaves the cluster", StringComparison.Ordinal));
        await EndsWithTheSameBits(job);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_server_is_killed()
    {
        var (servers, _) = await _cluster.StartAllAsync(servers: 2, workers: 3, "--checkpoint-every", "50");
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.LineAsync(job, l => l.Kind == "checkpoint");

        servers[0].Signal("KILL");
        var fallback = await _cluster.LineAsync(job, l => l.Kind == "fallback");
        await _cluster.GoneAsync(servers[0]);

        Assert.True(fallback.Record.Step > 0, fallback.Text);
        await EndsWithTheSameBits(job);
    }

    [Fact(Timeout = 240_000)]
    public async Task All_nodes_are_killed_and_more_of_them_go_on()
    {
        await _cluster.StartAllAsync(servers: 2, workers: 3, "--checkpoint-every", "50");
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.LineAsync(job, l => l.Kind == "checkpoint");

        await _cluster.KillAllAsync();
        await _cluster.StartAllAsync(servers: 3, workers: 5);

        var ended = await EndsWithTheSameBits(job);
        Assert.Equal(2, ended.Attempt);
        Assert.Contains(await _cluster.Client.LogAsync(job, 0, default), l => l.Text.StartsWith("attempt 2 begins at step", StringComparison.Ordinal) && l.Record.Step > 0);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_cancelled_job_is_resumed_by_a_command()
    {
        var (servers, _) = await _cluster.StartAllAsync(servers: 2, workers: 3);
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.StepAsync(job, 20);

        Assert.Equal(0, (await Convnet.RunAsync(_cluster.Folder, "cancel", job, "--to", _cluster.Coordinator.Jobs!)).ExitCode);
        while ((await _cluster.Client.FindAsync(job, default)).CheckpointStep is null)
            await Task.Delay(50);
        servers[0].Signal("TERM");
        await _cluster.GoneAsync(servers[0]);
        Assert.Equal(0, (await Convnet.RunAsync(_cluster.Folder, "resume", job, "--to", _cluster.Coordinator.Jobs!)).ExitCode);

        await EndsWithTheSameBits(job);
    }

    private async Task<Cluster.Management.JobRecord> EndsWithTheSameBits(string job)
    {
        var ended = await _cluster.DoneAsync(job);
        Assert.Equal(await _expected, ended.WeightsSha256);
        Audit.AssertEverySampleOnce(_cluster.Folder, job, Steps);
        return ended;
    }
}

/// <summary>Trains a job in one process once for all tests.</summary>
internal static class Expected
{
    /// <summary>So many that the job still runs when a process that was started in its midst has joined.</summary>
    public const int Epochs = 150;

    public const int StepsPerEpoch = 16;

    private static readonly Lock Gate = new();
    private static Task<string>? _hash;

    public static Task<string> Of(ProcessCluster cluster, string jobFile)
    {
        lock (Gate)
            return _hash ??= cluster.TrainedHereAsync(jobFile);
    }
}
