using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Tests.Nodes;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

/// <summary>A whole training whose frames cross sockets.</summary>
public sealed class TcpTrainingTests : IAsyncLifetime
{
    private readonly StepGate _gate = new(step: 5);
    private readonly ToyRuntime _runtime;
    private readonly InProcessCluster _cluster;

    public TcpTrainingTests()
    {
        _runtime = new ToyRuntime { BeforeTrain = _gate.Pass };
        _cluster = new InProcessCluster(_runtime, overTcp: true);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _gate.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Nodes_that_each_have_a_socket_end_with_the_bits_of_the_plain_loop()
    {
        await _cluster.StartAsync(NodeRole.Coordinator);
        var nodes = new[]
        {
            await _cluster.StartAsync(NodeRole.Server, NodeRole.Worker),
            await _cluster.StartAsync(NodeRole.Server, NodeRole.Worker),
            await _cluster.StartAsync(NodeRole.Worker),
        };
        await _cluster.AllUpAsync();
        _gate.Open();

        var ended = await _cluster.EndOfAsync((await _cluster.SubmitAsync()).Id);

        Assert.Equal(JobState.Done, ended.State);
        Assert.Equal(WeightsHash.Of(_runtime.TrainPlainly()), ended.WeightsSha256);
        _cluster.Ledger.AssertExactlyOnce(_runtime.Plan, 2);
        Assert.All(nodes, node =>
        {
            Assert.True(node.Transport!.Counters.FramesSent.Value > 0);
            Assert.Equal(0, node.Transport.Counters.Malformed.Value);
        });
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_whose_sockets_are_gone_without_a_word_changes_nothing()
    {
        await _cluster.StartAsync(NodeRole.Coordinator, NodeRole.Server, NodeRole.Worker);
        var second = await _cluster.StartAsync(NodeRole.Worker);
        await _cluster.AllUpAsync();
        var job = await _cluster.SubmitAsync();
        await _gate.Reached;
        await _cluster.LineAsync(job.Id, l => l is { Kind: "worker-joined" } && l.Text.Contains("2 in all", StringComparison.Ordinal));

        await second.KillAsync();
        await _cluster.LineAsync(job.Id, l => l.Kind == "worker-lost");
        _gate.Open();

        var ended = await _cluster.EndOfAsync(job.Id);
        Assert.Equal(WeightsHash.Of(_runtime.TrainPlainly()), ended.WeightsSha256);
        _cluster.Ledger.AssertExactlyOnce(_runtime.Plan, 1);
    }
}
