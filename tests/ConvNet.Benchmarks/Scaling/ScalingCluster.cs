using Akka.Actor;
using Akka.Configuration;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport.Tcp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>A cluster of processes: a coordinator here, and nodes that have both a worker of one lane and a part of the shards.</summary>
/// <remarks>
/// A server of its own process would be a third one on two cores, and with one worker its floats would cross the network where those of two workers do. PyTorch's
/// processes, too, each do a part of the sums.
/// </remarks>
internal sealed class ScalingCluster : IAsyncDisposable
{
    /// <summary>The first second compiles hot code anew, and the first steps meet cold memory.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private const int WarmSteps = 3, LeastSteps = 6;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What is said after the loggers have stopped goes to standard output, in the midst of the table.</summary>
    private static readonly Config Quiet = ConfigurationFactory.ParseString("akka.loglevel = ERROR");

    private readonly IHost _host;
    private readonly TcpTransport _transport;
    private readonly SqliteJobStore _store;
    private readonly string _folder;
    private readonly IJobService _jobs;
    private long _stepped;

    private ScalingCluster(IHost host, TcpTransport transport, SqliteJobStore store, string folder, IJobService jobs) =>
        (_host, _transport, _store, _folder, _jobs) = (host, transport, store, folder, jobs);

    /// <summary>The node processes.</summary>
    public IReadOnlyList<NodeProcess> Nodes { get; private set; } = [];

    /// <summary>Starts a cluster, and waits until all nodes are there.</summary>
    public static async Task<ScalingCluster> StartAsync(int nodes)
    {
        string folder = Directory.CreateTempSubdirectory("convnet-scaling-").FullName;
        var store = await SqliteJobStore.OpenAsync(folder);
        var transport = new TcpTransport(new());
        var door = new JobManagerDoor();
        ScalingCluster? cluster = null;
        var options = new NodeOptions { Roles = [NodeRole.Coordinator], Port = 0, Akka = Quiet };
        var preparation = new SyntheticPreparation(transport, step => Volatile.Write(ref cluster!._stepped, step));
        var parts = new NodeParts(new SyntheticRuntimes(new StepRecorder(() => 0)), transport, new DedicatedThreads(), 1, Fault.None, Ledger: null);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddClusterNode(options, parts, new ManagerParts(store, preparation, door, TimeProvider.System), removed: () => { });
        var host = builder.Build();
        cluster = new(host, transport, store, folder, new JobManagerService(door, store));
        await host.StartAsync();
        string seed = Akka.Cluster.Cluster.Get(host.Services.GetRequiredService<ActorSystem>()).SelfAddress.ToString();
        cluster.Nodes = [.. Enumerable.Range(0, nodes).Select(_ => new NodeProcess(seed))];
        await UntilAsync(async () => (await cluster._jobs.NodesAsync(default)).Count(n => n.State == "up") == nodes + 1, "the nodes to join");
        return cluster;
    }

    /// <summary>Trains a network for a while, and reads off what each worker process has seen.</summary>
    public async Task<WorkerReading[]> TrainAsync(string name, TimeSpan duration)
    {
        var scaled = ScalingNetworks.Find(name);
        Volatile.Write(ref _stepped, 0);
        var spec = new JobSpec(Model: name, Data: "synthetic", Batch: scaled.Batch * Nodes.Count, MicroBatch: scaled.MicroBatch);
        var job = await _jobs.SubmitAsync(new(spec), default);
        await UntilAsync(async () => Volatile.Read(ref _stepped) >= WarmSteps || await HasEndedAsync(job), "the first steps");
        await Task.Delay(WarmUp);

        await Task.WhenAll(Nodes.Select(n => n.BeginAsync()));
        long begun = Volatile.Read(ref _stepped);
        await Task.Delay(duration);
        await UntilAsync(async () => Volatile.Read(ref _stepped) >= begun + LeastSteps || await HasEndedAsync(job), "some more steps");
        var readings = await Task.WhenAll(Nodes.Select(n => n.ReadAsync()));
        if (await HasEndedAsync(job))
            throw new InvalidOperationException($"{name} has ended by itself: {(await _jobs.FindAsync(job.Id, default)).Failure}");
        await _jobs.CancelAsync(job.Id, default);
        await UntilAsync(() => HasEndedAsync(job), $"the end of {name}");
        return readings;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
            node.Dispose();
        await _host.Services.GetRequiredService<ActorSystem>().Terminate();
        _host.Dispose();
        _transport.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> HasEndedAsync(JobRecord job) => (await _jobs.FindAsync(job.Id, default)).HasEnded;

    private static async Task UntilAsync(Func<Task<bool>> done, string what)
    {
        using var stop = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                if (await done())
                    return;
                await Task.Delay(20, stop.Token);
            }
            catch (JobServiceException e) when (e.Problem == JobServiceProblem.Unavailable)
            {
                // The job manager is still starting.
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited {Patience.TotalSeconds} s for {what}.");
            }
        }
    }
}
