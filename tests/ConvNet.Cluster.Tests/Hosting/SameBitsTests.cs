using Akka.Configuration;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Tests.Hosting;

public sealed class SameBitsTests
{
    internal static readonly Config SerializeAll = ConfigurationFactory.ParseString("akka.actor.serialize-messages = on");

    public static TheoryData<int, int, int> Shapes()
    {
        var shapes = new TheoryData<int, int, int>();
        foreach (int workers in (int[])[1, 2, 3, 5])
            foreach (int servers in (int[])[1, 2, 4])
                foreach (int lanes in (int[])[1, 2])
                    shapes.Add(workers, servers, lanes);
        return shapes;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Any_number_of_workers_servers_and_lanes_gives_the_weights_of_a_plain_loop(int workers, int servers, int lanes)
    {
        var runtime = new ToyRuntime();
        var ledger = new RecordingLedger();

        using var result = await Run(runtime, new() { Workers = workers, Servers = servers, Lanes = lanes, Ledger = ledger });

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly()), result.WeightsSha256);
        ledger.AssertExactlyOnce(runtime.Plan, servers);
        Assert.Equal(runtime.Plan.TotalSteps, result.Version);
        Assert.False(result.Stopped);
        Assert.Equal(0, runtime.LanesAlive);
    }

    [Theory]
    [InlineData(1, 1, 1, 16, 12)]
    [InlineData(3, 2, 2, 40, 6)]
    [InlineData(2, 4, 3, 30, 8)]
    public async Task Any_number_of_shards_gives_the_weights_of_a_plain_loop(int workers, int servers, int lanes, int shardParameters, int shards)
    {
        var runtime = new ToyRuntime();
        var ledger = new RecordingLedger();

        using var result = await Run(runtime, new() { Workers = workers, Servers = servers, Lanes = lanes, ShardParameters = shardParameters, Ledger = ledger });

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly()), result.WeightsSha256);
        ledger.AssertExactlyOnce(runtime.Plan, shards);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 7)]
    [InlineData(13, 5)]
    [InlineData(64, 64)]
    public async Task Any_number_of_micro_batches_gives_the_weights_of_a_plain_loop(int perStep, int inLastStep)
    {
        var runtime = new ToyRuntime { Plan = new(TrainingSamples: perStep * 2 + inLastStep, TestSamples: 0, Batch: perStep, MicroBatch: 1, Epochs: 2) };
        var ledger = new RecordingLedger();

        using var result = await Run(runtime, new() { Workers = 3, Servers = 2, Lanes = 2, Ledger = ledger });

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly()), result.WeightsSha256);
        ledger.AssertExactlyOnce(runtime.Plan, 2);
    }

    [Theory]
    [InlineData(FaultPoint.BeforeCompute)]
    [InlineData(FaultPoint.DuringCompute)]
    [InlineData(FaultPoint.BeforePush)]
    [InlineData(FaultPoint.DuringPush)]
    [InlineData(FaultPoint.AfterPush)]
    public async Task A_worker_that_dies_at_any_point_of_a_step_changes_nothing(FaultPoint point)
    {
        var runtime = new ToyRuntime();
        for (int workers = 2; workers <= 3; workers++)
        {
            var ledger = new RecordingLedger();
            var observed = new Observed();

            using var result = await Run(
                runtime, new() { Workers = workers, Servers = 2, Lanes = 2, Ledger = ledger, Faults = Fault.Kill(worker: 1, atStep: 4, point) }, observed);

            Assert.Equal(WeightsHash.Of(runtime.TrainPlainly()), result.WeightsSha256);
            ledger.AssertExactlyOnce(runtime.Plan, 2);
            var lost = Assert.Single(observed.Of<JobEvent.WorkerLost>());
            Assert.Equal(1, lost.Worker);
            Assert.Contains($"killed at step 4, {point}", lost.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_worker_that_dies_in_an_evaluation_changes_nothing()
    {
        var runtime = new ToyRuntime();
        foreach (long version in (long[])[3, runtime.Plan.TotalSteps])
        {
            using var calm = await Run(runtime, new() { Workers = 2, Servers = 2, Lanes = 1 });

            using var result = await Run(
                runtime, new() { Workers = 2, Servers = 2, Lanes = 1, Faults = Fault.Kill(worker: 0, atStep: version, FaultPoint.DuringEvaluation) });

            Assert.Equal(calm.WeightsSha256, result.WeightsSha256);
            Assert.Equal(calm.Epochs, result.Epochs);
        }
    }

    [Fact]
    public async Task Workers_that_die_one_after_the_other_change_nothing()
    {
        var runtime = new ToyRuntime();
        var ledger = new RecordingLedger();
        var faults = Fault.All(
            Fault.Kill(worker: 0, atStep: 1, FaultPoint.DuringPush),
            Fault.Kill(worker: 2, atStep: 1, FaultPoint.BeforeCompute),
            Fault.Kill(worker: 1, atStep: 5, FaultPoint.AfterPush));

        using var result = await Run(runtime, new() { Workers = 4, Servers = 4, Lanes = 2, Ledger = ledger, Faults = faults });

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly()), result.WeightsSha256);
        ledger.AssertExactlyOnce(runtime.Plan, 4);
    }

    [Fact]
    public async Task A_worker_that_joins_while_the_job_runs_changes_nothing()
    {
        var ledger = new RecordingLedger();
        var started = new TaskCompletionSource<LocalRun>();
        int asked = 0;
        var joined = new ManualResetEventSlim();
        var observed = new Observed(e =>
        {
            if (e is JobEvent.WorkerJoined { Worker: 1 })
                joined.Set();
        });
        var runtime = new ToyRuntime
        {
            BeforeTrain = (step, _) =>
            {
                // Step 5 waits for the newcomer, so it takes part in the rest.
                if (step != 5)
                    return;
                if (Interlocked.Exchange(ref asked, 1) == 0)
                    started.Task.Result.AddWorker();
                joined.Wait();
            },
        };

        var run = LocalCluster.Start(new JobSpec(), runtime, new() { Workers = 1, Servers = 2, Lanes = 1, Ledger = ledger, Akka = SerializeAll }, observed);
        started.SetResult(run);
        using var result = await run.Completion.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(WeightsHash.Of(new ToyRuntime().TrainPlainly()), result.WeightsSha256);
        ledger.AssertExactlyOnce(runtime.Plan, 2);
        Assert.Equal(2, observed.Of<JobEvent.WorkerJoined>().Count());
    }

    /// <summary>Runs a job with patience for slow workers, however busy the machine is: what a fault hits does not depend on that.</summary>
    internal static async Task<JobResult> Run(ToyRuntime runtime, LocalClusterOptions options, Observed? observed = null, CancellationToken stop = default) =>
        await LocalCluster.RunAsync(new JobSpec(), runtime, options with { Akka = SerializeAll, StragglerPatience = TimeSpan.FromMinutes(1) }, observed, stop).WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
}
