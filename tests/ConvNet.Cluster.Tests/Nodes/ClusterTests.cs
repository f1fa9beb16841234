using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Tests.Fakes;

namespace ConvNet.Cluster.Tests.Nodes;

public sealed class ClusterTests : IAsyncLifetime
{
    private readonly StepGate _gate = new(step: 40, pace: TimeSpan.FromMilliseconds(1));
    private readonly ToyRuntime _runtime;
    private readonly InProcessCluster _cluster;

    public ClusterTests()
    {
        _runtime = new ToyRuntime { BeforeTrain = _gate.Pass, Plan = new(TrainingSamples: 50, TestSamples: 23, Batch: 20, MicroBatch: 4, Epochs: 30) };
        _cluster = new InProcessCluster(_runtime);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _gate.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_job_submitted_to_several_nodes_has_the_bits_of_the_plain_loop()
    {
        await _cluster.StartAsync(NodeRole.Coordinator);
        await _cluster.StartAsync(NodeRole.Server, NodeRole.Worker);
        await _cluster.StartAsync(NodeRole.Server, NodeRole.Worker);
        _gate.Open();

        await EndsWithTheSameBits((await _cluster.SubmitAsync()).Id);
        _cluster.Ledger.AssertExactlyOnce(_runtime.Plan, 2);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_job_waits_for_a_server_and_a_worker_and_says_so()
    {
        await _cluster.StartAsync(NodeRole.Coordinator);
        _gate.Open();

        var job = await _cluster.SubmitAsync();
        await _cluster.LineAsync(job.Id, l => l.Record.State == JobState.WaitingForWorkers && l.Text.Contains("role server", StringComparison.Ordinal));
        await _cluster.StartAsync(NodeRole.Server);
        await _cluster.LineAsync(job.Id, l => l.Record.State == JobState.WaitingForWorkers && l.Text.Contains("role worker", StringComparison.Ordinal));
        await _cluster.StartAsync(NodeRole.Worker);

        await EndsWithTheSameBits(job.Id);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_worker_that_joins_in_the_middle_takes_part()
    {
        await StartAllInOne();
        var job = await SubmitToTheGate();

        await _cluster.StartAsync(NodeRole.Worker);
        await _cluster.LineAsync(job.Id, l => l is { Kind: "worker-joined" } && l.Text.Contains("2 in all", StringComparison.Ordinal));
        _gate.Open();

        await EndsWithTheSameBits(job.Id);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_worker_node_that_is_gone_without_a_word_costs_nothing_but_time()
    {
        await StartAllInOne();
        var second = await _cluster.StartAsync(NodeRole.Worker);
        await _cluster.AllUpAsync();
        var job = await SubmitToTheGate();
        await BothTakePart(job);

        await second.KillAsync();
        await _cluster.LineAsync(job.Id, l => l.Kind == "worker-lost");
        _gate.Open();

        await EndsWithTheSameBits(job.Id);
        _cluster.Ledger.AssertExactlyOnce(_runtime.Plan, 1);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_worker_node_that_leaves_hands_its_work_over_first()
    {
        await StartAllInOne();
        var second = await _cluster.StartAsync(NodeRole.Worker);
        await _cluster.AllUpAsync();
        var job = await SubmitToTheGate();
        await BothTakePart(job);

        var left = second.LeaveAsync();
        await _cluster.LineAsync(job.Id, l => l is { Kind: "worker-lost" } && l.Text.Contains("leaves the cluster", StringComparison.Ordinal));
        _gate.Open();
        await left;

        await EndsWithTheSameBits(job.Id);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_lost_server_begins_another_attempt_that_ends_with_the_same_bits()
    {
        await StartAllInOne();
        var server = await _cluster.StartAsync(NodeRole.Server);
        await _cluster.AllUpAsync();
        var job = await SubmitToTheGate();

        await server.KillAsync();
        var line = await _cluster.LineAsync(job.Id, l => l.Kind == "fallback");
        _gate.Open();

        Assert.Equal(2, line.Record.Attempt);
        await EndsWithTheSameBits(job.Id);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_server_costs_the_steps_since_the_newest_whole_checkpoint(bool torn)
    {
        _cluster.Checkpoints = new(EverySteps: 25, Every: null);
        await StartAllInOne();
        var server = await _cluster.StartAsync(NodeRole.Server);
        await _cluster.AllUpAsync();
        var job = await SubmitToTheGate();
        await _cluster.LineAsync(job.Id, l => l.Kind == "checkpoint");
        if (torn)
        {
            foreach (string checkpoint in Directory.GetDirectories(_cluster.CheckpointsOf(job.Id)))
                await File.AppendAllTextAsync(Path.Combine(checkpoint, "weights.safetensors"), "x");
        }

        await server.KillAsync();
        await _cluster.LineAsync(job.Id, l => l.Kind == "fallback");
        _gate.Open();

        await EndsWithTheSameBits(job.Id);
        var log = await _cluster.Store.LogAsync(job.Id, 0);
        Assert.Equal(torn, log.Any(l => l.Kind == "warning" && l.Text.Contains("weights.safetensors", StringComparison.Ordinal)));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0, 90)]
    [InlineData(12, 54)]
    public async Task The_best_weights_outlive_a_lost_server(int patience, int steps)
    {
        float best = _runtime.TrainPlainly(18)[7];
        var runtime = new ToyRuntime { BeforeTrain = _gate.Pass, Plan = _runtime.Plan, Correct = w => w == best ? 4 : 3 };
        await using var cluster = new InProcessCluster(runtime) { Checkpoints = new(EverySteps: 25, Every: null) };
        await cluster.StartAsync(NodeRole.Coordinator, NodeRole.Server, NodeRole.Worker);
        var server = await cluster.StartAsync(NodeRole.Server);
        await cluster.AllUpAsync();
        var job = await cluster.SubmitAsync(new(new JobSpec { Keep = KeptWeights.Best, EarlyStop = patience }));
        await cluster.LineAsync(job.Id, l => l.Kind == "checkpoint");

        await server.KillAsync();
        await cluster.LineAsync(job.Id, l => l.Kind == "fallback");
        _gate.Open();
        var end = await cluster.EndOfAsync(job.Id);

        Assert.Equal((JobState.Done, 2, steps, 4 / 23.0), (end.State, end.Attempt, end.Step, end.TestAccuracy));
        Assert.Equal(WeightsHash.Of(_runtime.TrainPlainly(18)), end.WeightsSha256);
        Assert.Equal(patience > 0, (await cluster.Store.LogAsync(job.Id, 0)).Any(l => l is { Kind: "early-stop", Text: "ends after epoch 18: none of the last 12 was better than epoch 6" }));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_node_that_leaves_costs_no_step()
    {
        await StartAllInOne();
        var server = await _cluster.StartAsync(NodeRole.Server);
        await _cluster.AllUpAsync();
        var job = await SubmitToTheGate();

        var left = server.LeaveAsync();
        _gate.Open();
        await left;

        await EndsWithTheSameBits(job.Id);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_job_goes_on_after_all_nodes_were_killed_with_other_numbers_of_servers_and_workers()
    {
        _cluster.Checkpoints = new(EverySteps: 1, Every: null);
        await StartAllInOne();
        await _cluster.StartAsync(NodeRole.Server);
        await _cluster.AllUpAsync();
        var job = await SubmitToTheGate();
        var written = await _cluster.LineAsync(job.Id, l => l.Kind == "checkpoint");

        await _cluster.KillAllAsync();
        _gate.Open();
        await _cluster.StartAsync(NodeRole.Coordinator);
        await _cluster.StartAsync(NodeRole.Server);
        await _cluster.StartAsync(NodeRole.Server);
        await _cluster.StartAsync(NodeRole.Server, NodeRole.Worker);
        await _cluster.StartAsync(NodeRole.Worker);
        await _cluster.AllUpAsync();

        await EndsWithTheSameBits(job.Id);
        var resumed = (await _cluster.Store.LogAsync(job.Id, written.Sequence)).First(l => l.Kind == "started");
        Assert.True(resumed.Record.Step > 0, "It began from the start.");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_cancelled_job_goes_on_at_the_exact_step()
    {
        await StartAllInOne();
        var job = await SubmitToTheGate();

        await _cluster.Jobs.CancelAsync(job.Id, default);
        JobRecord cancelled;
        while ((cancelled = await _cluster.Jobs.FindAsync(job.Id, default)).CheckpointStep is null)
            await Task.Delay(20);
        _gate.Open();   // not before: the few steps that are left may be taken before the job hears that it is cancelled
        await _cluster.Jobs.ResumeAsync(job.Id, default);

        await EndsWithTheSameBits(job.Id);
        var resumed = (await _cluster.Store.LogAsync(job.Id, cancelled.LogLines)).First(l => l.Kind == "started");
        Assert.Equal(cancelled.CheckpointStep, resumed.Record.Step);
    }

    [Fact(Timeout = 60_000)]
    public async Task Jobs_run_by_priority_and_one_that_was_cancelled_can_be_resumed()
    {
        await StartAllInOne();
        var first = await SubmitToTheGate();
        var low = await _cluster.SubmitAsync();
        var high = await _cluster.SubmitAsync(new(new JobSpec(), Priority: 5));

        Assert.Equal(JobState.Cancelled, (await _cluster.Jobs.CancelAsync(first.Id, default)).State);
        _gate.Open();
        await EndsWithTheSameBits(high.Id);
        await EndsWithTheSameBits(low.Id);
        await _cluster.Jobs.ResumeAsync(first.Id, default);
        await EndsWithTheSameBits(first.Id);

        var all = await _cluster.Jobs.ListAsync(default);
        Assert.Equal([low.Id, high.Id], all.Where(j => j.Id != first.Id).OrderByDescending(j => j.Started).Select(j => j.Id));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_job_that_cannot_be_run_is_not_queued()
    {
        await StartAllInOne();

        var problem = await Assert.ThrowsAsync<JobServiceException>(() => _cluster.SubmitAsync(new(new JobSpec(Data: "nowhere"))));

        Assert.Equal(JobServiceProblem.Invalid, problem.Problem);
        Assert.Empty(await _cluster.Jobs.ListAsync(default));
    }

    [Fact(Timeout = 60_000)]
    public async Task Nodes_are_listed_with_roles_and_lanes()
    {
        await StartAllInOne();
        await _cluster.StartAsync(NodeRole.Worker);
        await _cluster.AllUpAsync();

        var nodes = await _cluster.Jobs.NodesAsync(default);
        Assert.Equal(["node-0", "node-1"], nodes.Select(n => n.Name).Order());
        Assert.Equal([NodeRole.Worker], nodes.Single(n => n.Name == "node-1").Roles);
        Assert.All(nodes, n => Assert.Equal(1, n.Lanes));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_of_another_protocol_version_takes_no_part_and_is_named()
    {
        await StartAllInOne();
        await _cluster.StartAsync(protocolVersion: 99, NodeRole.Server, NodeRole.Worker);
        _gate.Open();

        NodeRecord? other = null;
        while (other?.State.StartsWith("refused", StringComparison.Ordinal) != true)
        {
            other = (await _cluster.Jobs.NodesAsync(default)).FirstOrDefault(n => n.Name != "node-0");
            await Task.Delay(20);
        }

        Assert.Contains("node-1 speaks protocol version 99", other.State, StringComparison.Ordinal);
        var job = await _cluster.SubmitAsync();
        await EndsWithTheSameBits(job.Id);
        _cluster.Ledger.AssertExactlyOnce(_runtime.Plan, shards: 1);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_whose_coordinator_is_gone_is_told_to_join_anew()
    {
        var coordinator = await _cluster.StartAsync(NodeRole.Coordinator);
        var worker = await _cluster.StartAsync(NodeRole.Worker);
        await _cluster.AllUpAsync();

        await coordinator.LeaveAsync();

        await worker.Removed;
    }

    private async Task StartAllInOne()
    {
        await _cluster.StartAsync(NodeRole.Coordinator, NodeRole.Server, NodeRole.Worker);
        await _cluster.AllUpAsync();
    }

    private async Task<JobRecord> SubmitToTheGate()
    {
        var job = await _cluster.SubmitAsync();
        await _gate.Reached;
        return job;
    }

    /// <summary>One worker may come to the gate before the other has been made.</summary>
    private Task BothTakePart(JobRecord job) =>
        _cluster.LineAsync(job.Id, l => l is { Kind: "worker-joined" } && l.Text.Contains("2 in all", StringComparison.Ordinal));

    private async Task EndsWithTheSameBits(string id)
    {
        var ended = await _cluster.EndOfAsync(id);
        Assert.True(ended.State == JobState.Done, ended.Failure ?? $"{ended.State}");
        Assert.Equal(WeightsHash.Of(_runtime.TrainPlainly()), ended.WeightsSha256);
    }
}
