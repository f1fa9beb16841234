using Akka.Actor;
using Akka.Configuration;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Cluster.Tests.Nodes;

/// <summary>Nodes of one cluster, each with an actor system and a port of its own, in the process of the test. Frames change hands; messages cross the network.</summary>
internal sealed class InProcessCluster(ToyRuntime runtime) : IAsyncDisposable
{
    private readonly List<Node> _nodes = [];
    private readonly InProcessTransport _transport = new();

    public MemoryJobStore Store { get; } = new();

    public RecordingLedger Ledger { get; } = new();

    /// <summary>The job service of the first node.</summary>
    public IJobService Jobs => _nodes[0].Jobs!;

    /// <summary>Starts a node. The first one is the seed of the others.</summary>
    public Task<Node> StartAsync(params string[] roles) => StartAsync(NodeProtocol.Version, roles);

    /// <summary>Starts a node that speaks another version of the protocol.</summary>
    public async Task<Node> StartAsync(int protocolVersion, params string[] roles)
    {
        var door = new JobManagerDoor();
        var manager = roles.Contains(NodeRole.Coordinator) ? new ManagerParts(Store, new ToyPreparation(runtime, _transport), door, TimeProvider.System) : null;
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
        builder.Services.AddClusterNode(options, new NodeParts(new GivenRuntime(runtime), _transport, threads, 1, Fault.None, Ledger), manager, () => removed.TrySetResult());
        var host = builder.Build();
        await host.StartAsync();
        var node = new Node(host, host.Services.GetRequiredService<ActorSystem>(), manager is null ? null : new JobManagerService(door, Store), removed.Task);
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
        foreach (var node in Enumerable.Reverse(_nodes))
            await node.KillAsync();
        _transport.Dispose();
    }

    internal sealed class Node(IHost host, ActorSystem system, IJobService? jobs, Task removed)
    {
        public IJobService? Jobs => jobs;

        /// <summary>Completes when the node's cluster has no coordinator any more.</summary>
        public Task Removed => removed;

        public string Address { get; } = Akka.Cluster.Cluster.Get(system).SelfAddress.ToString();

        /// <summary>Leaves as on SIGTERM.</summary>
        public async Task LeaveAsync()
        {
            await host.StopAsync();
            host.Dispose();
        }

        /// <summary>Is gone, without a word.</summary>
        public async Task KillAsync()
        {
            if (!system.WhenTerminated.IsCompleted)
                await system.Terminate();
            host.Dispose();
        }
    }
}
