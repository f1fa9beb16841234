using System.Net;
using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.DataSets;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;
using ConvNet.Data;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Cluster.Tests.DataSets;

/// <summary>A job whose workers get their data from the coordinator ends with the bits of one that had it all along.</summary>
public sealed class JobOnShippedDataTests : IDisposable
{
    private static readonly JobSpec Spec = new(Data: "mnist:small", Epochs: 2, Batch: 64, MicroBatch: 16);

    private readonly TemporaryFolder _there = new(), _here = new();
    private readonly Lines _log = new();

    public JobOnShippedDataTests() => SmallSet.Write(_there.File("small"), training: 300, test: 50);

    public void Dispose()
    {
        _there.Dispose();
        _here.Dispose();
    }

    [Fact]
    public async Task Within_a_process()
    {
        using var transport = new InProcessTransport();

        string sha256 = await TrainAsync(transport, transport);

        Assert.Equal(await DirectlyAsync(), sha256);
    }

    [Fact]
    public async Task Over_tcp()
    {
        using var coordinator = new TcpTransport(new() { Bind = IPAddress.Loopback });
        using var node = new TcpTransport(new() { Bind = IPAddress.Loopback });

        string sha256 = await TrainAsync(coordinator, node);

        Assert.Equal(await DirectlyAsync(), sha256);
    }

    [Fact]
    public async Task A_worker_without_data_says_why_it_stops()
    {
        using var transport = new InProcessTransport();
        Directory.CreateDirectory(_here.File(".convnet"));
        File.WriteAllText(_here.File(".convnet/cache"), "a file where the cache would be");

        var error = await Assert.ThrowsAsync<JobFailedException>(() => TrainAsync(transport, transport));

        Assert.Contains("data mnist:small: is not on this node, and cannot be kept in", error.Message, StringComparison.Ordinal);
    }

    private async Task<string> DirectlyAsync()
    {
        using var result = await LocalCluster.RunAsync(Spec, new NetworkJob(Spec, DataSource.Load($"mnist:{_there.File("small")}")), new());
        return result.WeightsSha256;
    }

    /// <summary>The coordinator has the data, on a node of its own; servers and workers are on one that has none.</summary>
    private async Task<string> TrainAsync(ITensorTransport coordinator, ITensorTransport node)
    {
        var coordinatorData = new CoordinatorData(NodeData.At(_there.Path, trains: false, coordinator, _log), coordinator, _log);
        using var offered = await coordinatorData.OfferAsync(Spec.Data);
        var definition = new NetworkJobDefinition(Spec, offered.Description);
        var threads = new DedicatedThreads();
        var parts = new NodeParts(new NodeRuntimes(NodeData.At(_here.Path, trains: true, node, _log)), node, threads, 1, Fault.None, null);
        var finished = new TaskCompletionSource<JobResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var system = ActorSystem.Create("convnet", Hosting.SameBitsTests.SerializeAll.WithFallback(ClusterConfig.Default));
        try
        {
            system.ActorOf(LocalJobHost.PropsFor(
                parts,
                new() { Workers = 2, Servers = 2 },
                4,
                (servers, workers) => new CoordinatorJob("j1.1", Spec, definition, servers, workers, coordinator, TimeProvider.System, null) { Data = offered.Origin },
                finished));
            using var result = await finished.Task.WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Single(_log.All, line => line.Contains("fetching", StringComparison.Ordinal));
            return result.WeightsSha256;
        }
        finally
        {
            await system.Terminate();
            await threads.WhenAllEnded();
        }
    }
}
