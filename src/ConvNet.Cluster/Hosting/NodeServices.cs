using System.Net;
using ConvNet.Cluster.DataSets;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport.Tcp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ConvNet.Cluster.Hosting;

/// <summary>What a node keeps open for as long as it is a member of a cluster: its data plane, its threads, and a coordinator's jobs.</summary>
public sealed class NodeServices : IAsyncDisposable
{
    private readonly NodeOptions _options;
    private readonly TcpTransport _transport;
    private readonly DedicatedThreads _threads = new();
    private readonly SqliteJobStore? _store;
    private readonly JobManagerDoor _door = new();
    private readonly ILogger _log;
    private readonly NodeData _data;
    private readonly AuditFile? _audit;

    private NodeServices(NodeOptions options, TcpTransport transport, SqliteJobStore? store, ILogger log)
    {
        (_options, _transport, _store, _log) = (options, transport, store, log);
        _audit = options.AuditFile is { } file ? new AuditFile(file) : null;
        _data = NodeData.At(options.DataDirectory, options.Has(NodeRole.Worker), transport, log);
    }

    /// <summary>Opens them.</summary>
    /// <param name="options">What node.</param>
    /// <param name="log">Where the data plane logs, and where data was found.</param>
    /// <exception cref="JobStoreException">Another coordinator has the work directory, or it cannot be used.</exception>
    /// <exception cref="IOException">The data plane cannot listen.</exception>
    public static async Task<NodeServices> OpenAsync(NodeOptions options, ILogger log)
    {
        var store = options.Has(NodeRole.Coordinator) ? await SqliteJobStore.OpenAsync(options.WorkDirectory).ConfigureAwait(false) : null;
        try
        {
            var transport = new TcpTransport(new TcpTransportOptions
            {
                Bind = IPAddress.Parse(options.BindOrDefault),
                Port = options.TensorPort,
                AnnouncedHost = options.Host,
                SharesMemory = options.SharesMemory,
                Observer = happened => Log(log, happened),
            });
            try
            {
                return new(options, transport, store, log);
            }
            catch
            {
                transport.Dispose();
                throw;
            }
        }
        catch
        {
            if (store is not null)
                await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Where the node takes tensors.</summary>
    public string TensorEndpoint => _transport.Endpoint;

    /// <summary>Adds the node to a host; a coordinator's <see cref="IJobService"/> too.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="removed">Called when the cluster has no place for this node any more, and it should join anew.</param>
    public void AddTo(IServiceCollection services, Action removed)
    {
        var parts = new NodeParts(new NodeRuntimes(_data), _transport, _threads, _options.Lanes, Fault.None, _audit);
        ManagerParts? manager = null;
        if (_store is not null)
        {
            manager = new(_store, new JobPreparation(new CoordinatorData(_data, _transport, _log), _options.WorkDirectory, _options.Checkpoints, _transport, TimeProvider.System), _door, TimeProvider.System);
            services.AddSingleton<IJobService>(new JobManagerService(_door, _store));
        }

        services.AddClusterNode(_options, parts, manager, removed);
    }

    /// <summary>Gives everything back. The host has stopped before.</summary>
    public async ValueTask DisposeAsync()
    {
        await _threads.WhenAllEnded().ConfigureAwait(false);
        _transport.Dispose();
        _audit?.Dispose();
        if (_store is not null)
            await _store.DisposeAsync().ConfigureAwait(false);
    }

    private static void Log(ILogger log, TransportEvent happened)
    {
        var level = happened.Kind is TransportEventKind.Reconnected or TransportEventKind.ConnectionLost ? LogLevel.Information
            : happened.Kind is TransportEventKind.ReceiverFailed ? LogLevel.Error : LogLevel.Warning;
        log.Log(level, "{What}", happened.Text);
    }
}
