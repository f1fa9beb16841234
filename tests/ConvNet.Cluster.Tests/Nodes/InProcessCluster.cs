using Akka.Actor;
using Akka.Configuration;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Cluster.Tests.Nodes;

/// <summary>Nodes of one cluster, each with an actor system and a port of its own, in the process of the test. Messages cross the network; frames change hands, or cross it too.</summary>
internal sealed class InProcessCluster(ToyRuntime runtime, bool overTcp = false) : IAsyncDisposable
{
    private readonly List<Node> _nodes = [];
    private readonly InProcessTransport _transport = new();

    private readonly string _folder = Directory.CreateTempSubdirectory("convnet-test-").FullName;

    public MemoryJobStore Store { get; } = new();

    /// <summary>How often checkpoints are written.</summary>
    public CheckpointPolicy Checkpoints { get; set; } = CheckpointPolicy.Default;

    /// <summary>Where those of a job are.</summary>
    public string CheckpointsOf(string job) => Path.Combine(_folder, job);

    public RecordingLedger Ledger { get; } = new();

    /// <summary>The job service of the first node.</summary>
    public IJobService Jobs => _nodes[0].Jobs!;

    /// <summary>Starts a node. The first one is the seed of the others.</summary>
    public Task<Node> StartAsync(params string[] roles) => StartAsync(NodeProtocol.Version, roles);

    /// <summary>Starts a node that speaks another version of the protocol.</summary>
    public async Task<Node> StartAsync(int protocolVersion, params string[] roles)
    {
        var door = new JobManagerDoor();
        ITensorTransport transport = overTcp ? new TcpTransport(new()) : _transport;
        var manager = roles.Contains(NodeRole.Coordinator) ? new ManagerParts(Store, new ToyPreparation(runtime, transport, _folder, Checkpoints), door, TimeProvider.System) : null;
        var options = new NodeOptions
        {
            Roles = roles,
            Port = 0,
            ProtocolVersion = protocolVersion,
            Lanes = 1,
            Name = $"node-{_nodes.Count}",
            Seeds = _nodes.Count == 0 ? [] : [_nodes[0].Address],
            Akka = ConfigurationFactory.ParseString("akka.coordinated-shutdown.run-by-actor-system-terminate = off"),
        };
        var threads = new DedicatedThreads();
        var removed = new TaskCompletionSource();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddClusterNode(options, new NodeParts(new GivenRuntime(runtime), transport, threads, 1, Fault.None, Ledger), manager, () => removed.TrySetResult());
        var host = builder.Build();
        await host.StartAsync();
        var node = new Node(host, host.Services.GetRequiredService<ActorSystem>(), manager is null ? null : new JobManagerService(door, Store), removed.Task, transport as TcpTransport);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Waits until all nodes take part.</summary>
    public async Task AllUpAsync()
    {
        while (true)
        {
            try
            {
                if ((await Jobs.NodesAsync(default)).Count(n => n.State == "up") == _nodes.Count)
                    return;
            }
            catch (JobServiceException e) when (e.Problem == JobServiceProblem.Unavailable)
            {
                // The job manager is still starting.
            }

            await Task.Delay(20);
        }
    }

    /// <summary>The job, once it has ended.</summary>
    public async Task<JobRecord> EndOfAsync(string id)
    {
        var job = await Jobs.FindAsync(id, default);
        if (job.HasEnded)
            return job;
        await foreach (var line in Jobs.LogAsync(id, job.LogLines, follow: true, default))
        {
            if (line.Record.HasEnded)
                return line.Record;
        }

        return await Jobs.FindAsync(id, default);
    }

    /// <summary>Waits for a line in a job's log.</summary>
    public async Task<JobLogEntry> LineAsync(string id, Func<JobLogEntry, bool> wanted)
    {
        await foreach (var line in Jobs.LogAsync(id, 0, follow: true, default))
        {
            if (wanted(line))
                return line;
        }

        throw new InvalidOperationException($"The log of {id} ended without the line.");
    }

    /// <summary>Submits a job, as soon as the job manager is there.</summary>
    public async Task<JobRecord> SubmitAsync(JobSubmission? submission = null)
    {
        while (true)
        {
            try
            {
                return await Jobs.SubmitAsync(submission ?? new(new JobSpec()), default);
            }
            catch (JobServiceException e) when (e.Problem == JobServiceProblem.Unavailable)
            {
                await Task.Delay(20);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAllAsync();
        _transport.Dispose();
        DeleteFolder();
    }

    /// <summary>A checkpoint that a killed node was writing may still be under way.</summary>
    private void DeleteFolder()
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 50)
            {
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>All nodes are gone, without a word; what they kept on disk is there.</summary>
    public async Task KillAllAsync()
    {
        foreach (var node in Enumerable.Reverse(_nodes))
            await node.KillAsync();
        _nodes.Clear();
    }

    internal sealed class Node(IHost host, ActorSystem system, IJobService? jobs, Task removed, TcpTransport? transport)
    {
        public IJobService? Jobs => jobs;

        /// <summary>The node's own data plane, where frames cross the network.</summary>
        public TcpTransport? Transport => transport;

        /// <summary>Completes when the node's cluster has no coordinator any more.</summary>
        public Task Removed => removed;

        public string Address { get; } = Akka.Cluster.Cluster.Get(system).SelfAddress.ToString();

        /// <summary>Leaves as on SIGTERM.</summary>
        public async Task LeaveAsync()
        {
            await host.StopAsync();
            host.Dispose();
            transport?.Dispose();
        }

        /// <summary>Is gone, without a word.</summary>
        public async Task KillAsync()
        {
            transport?.Dispose();
            if (!system.WhenTerminated.IsCompleted)
                await system.Terminate();
            host.Dispose();
        }
    }
}
