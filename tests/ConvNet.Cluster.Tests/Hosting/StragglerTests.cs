using System.Collections.Concurrent;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Tests.Fakes;

namespace ConvNet.Cluster.Tests.Hosting;

/// <summary>Workers that stand still in the middle of a step, join in the middle, or are all gone.</summary>
public sealed class StragglerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ManualResetEventSlim _release = new();
    private readonly RecordingLedger _ledger = new();
    private readonly ToyRuntime _runtime = new();

    public void Dispose() => _release.Dispose();

    [Theory]
    [InlineData(FaultPoint.BeforeCompute, 1)]
    [InlineData(FaultPoint.BeforeCompute, 2)]
    [InlineData(FaultPoint.DuringPush, 1)]
    public async Task A_worker_that_stands_still_to_the_end_costs_one_delay(FaultPoint point, int lanes)
    {
        var observed = new Observed(e =>
        {
            if (e is JobEvent.Evaluated { Version: 9 })
                _release.Set();
        });
        var faults = new Visits((at, worker, step) =>
        {
            if (worker == 1 && at == point && step >= 3)
                _release.Wait(Patience);
        });

        using var result = await LocalCluster.RunAsync(new JobSpec(), _runtime, Options(workers: 3, lanes, faults), observed).WaitAsync(Patience);

        AssertSameBits(result);
        Assert.Equal(1, Assert.Single(observed.Of<JobEvent.WorkerFellBehind>()).Worker);
        Assert.Empty(observed.Of<JobEvent.WorkerLost>());
    }

    [Fact]
    public async Task A_worker_that_stands_still_in_an_evaluation_does_not_hold_it_up()
    {
        var observed = new Observed(e =>
        {
            if (e is JobEvent.Evaluated { Version: 9 })
                _release.Set();
        });
        var faults = new Visits((at, worker, version) =>
        {
            if (worker == 0 && at == FaultPoint.DuringEvaluation && version == 9)
                _release.Wait(Patience);
        });

        using var result = await LocalCluster.RunAsync(new JobSpec(), _runtime, Options(workers: 2, lanes: 1, faults), observed).WaitAsync(Patience);

        AssertSameBits(result);
        Assert.Equal(0, Assert.Single(observed.Of<JobEvent.WorkerFellBehind>()).Worker);
    }

    [Fact]
    public async Task A_worker_that_goes_on_later_catches_up_and_has_its_share_again()
    {
        var back = new ManualResetEventSlim();
        var observed = new Observed(e =>
        {
            if (e is JobEvent.WorkerFellBehind)
                _release.Set();
            if (e is JobEvent.WorkerCaughtUp)
                back.Set();
        });
        var seen = new ConcurrentQueue<long>();
        var faults = new Visits((at, worker, step) =>
        {
            if (at != FaultPoint.BeforeCompute)
                return;
            if (worker == 1 && step == 3)
                _release.Wait(Patience);
            if (worker == 1)
                seen.Enqueue(step);
            if (worker == 0 && step == 5)
                back.Wait(Patience);                                     // steps 0 to 4 are done without worker 1
            if (worker == 0 && step == 8)
                SpinWait.SpinUntil(() => seen.Any(s => s > 3), Patience);   // the last step is not done before it works again
        });

        using var result = await LocalCluster.RunAsync(new JobSpec(), _runtime, Options(workers: 2, lanes: 1, faults), observed).WaitAsync(Patience);

        AssertSameBits(result);
        Assert.Equal(1, Assert.Single(observed.Of<JobEvent.WorkerCaughtUp>()).Worker);
        Assert.Contains(seen, s => s > 4);
    }

    [Fact]
    public async Task A_worker_that_joins_contributes_at_most_two_steps_later()
    {
        LocalRun? run = null;
        var started = new ManualResetEventSlim();
        var joined = new ManualResetEventSlim();
        var works = new ManualResetEventSlim();
        var observed = new Observed(e =>
        {
            if (e is JobEvent.WorkerJoined { Worker: 1 })
                joined.Set();
        });
        var seen = new ConcurrentQueue<long>();
        var faults = new Visits((at, worker, step) =>
        {
            if (at != FaultPoint.BeforeCompute)
                return;
            if (worker == 1)
            {
                seen.Enqueue(step);
                works.Set();
                return;
            }

            // It joins in step 4, so it is ready with version 4; step 6 is not done without it.
            started.Wait(Patience);
            if (step == 4 && !joined.IsSet)
            {
                run!.AddWorker();
                joined.Wait(Patience);
            }

            if (step == 6)
                Assert.True(works.Wait(Patience), "The newcomer has no work.");
        });

        run = LocalCluster.Start(new JobSpec(), _runtime, Options(workers: 1, lanes: 1, faults) with { StragglerPatience = TimeSpan.FromMinutes(1) }, observed);
        started.Set();
        using var result = await run.Completion.WaitAsync(Patience);

        AssertSameBits(result);
        Assert.InRange(seen.First(), 4, 6);
    }

    [Fact]
    public async Task A_job_with_no_worker_left_waits_and_goes_on_when_one_comes()
    {
        var started = new TaskCompletionSource<LocalRun>();
        var observed = new Observed(e =>
        {
            if (e is JobEvent.WaitingForWorkers)
                started.Task.Result.AddWorker();
        });
        var faults = Fault.All(Fault.Kill(worker: 0, atStep: 2, FaultPoint.DuringPush), Fault.Kill(worker: 1, atStep: 5, FaultPoint.BeforeCompute));

        var run = LocalCluster.Start(new JobSpec(), _runtime, Options(workers: 1, lanes: 2, faults) with { WaitsForWorkers = true }, observed);
        started.SetResult(run);
        using var result = await run.Completion.WaitAsync(Patience);

        AssertSameBits(result);
        Assert.Equal(2, observed.Of<JobEvent.WaitingForWorkers>().Count());
        Assert.Equal([0, 1, 2], observed.Of<JobEvent.WorkerJoined>().Select(j => j.Worker));
    }

    [Fact]
    public async Task A_job_that_waits_for_workers_can_be_stopped()
    {
        var started = new TaskCompletionSource<LocalRun>();
        var observed = new Observed(e =>
        {
            if (e is JobEvent.WaitingForWorkers)
                started.Task.Result.Stop();
        });
        var faults = Fault.Kill(worker: 0, atStep: 4, FaultPoint.BeforeCompute);

        var run = LocalCluster.Start(new JobSpec(), _runtime, Options(workers: 1, lanes: 1, faults) with { WaitsForWorkers = true }, observed);
        started.SetResult(run);
        using var result = await run.Completion.WaitAsync(Patience);

        Assert.True(result.Stopped);
        Assert.Equal(4, result.Version);
        Assert.Equal(WeightsHash.Of(_runtime.TrainPlainly(4)), result.WeightsSha256);
    }

    [Fact]
    public async Task A_slow_worker_gets_fewer_micro_batches()
    {
        using var stop = new CancellationTokenSource();
        var shares = new ConcurrentDictionary<long, int>();   // micro-batches of a step that worker 1 has computed
        var runtime = new ToyRuntime
        {
            Plan = new(TrainingSamples: 4000, TestSamples: 0, Batch: 20, MicroBatch: 4, Epochs: 100),
            BeforeTrain = (step, _) =>
            {
                bool slow = Thread.CurrentThread.Name?.StartsWith("worker 1 ", StringComparison.Ordinal) == true;
                Thread.Sleep(slow ? 12 : 3);
                if (slow && shares.AddOrUpdate(step, 1, (_, n) => n + 1) == 1 && step > 2 && shares.GetValueOrDefault(step - 1) == 1 && shares.GetValueOrDefault(step - 2) == 1)
                    stop.Cancel();
            },
        };

        using var result = await LocalCluster.RunAsync(new JobSpec(), runtime, Options(workers: 2, lanes: 1, Fault.None), stop: stop.Token).WaitAsync(Patience, CancellationToken.None);

        Assert.True(result.Stopped);
        Assert.InRange(shares[0], 2, 3);   // of 5, at first
        Assert.Equal(WeightsHash.Of(new ToyRuntime { Plan = runtime.Plan }.TrainPlainly(result.Version)), result.WeightsSha256);
    }

    private LocalClusterOptions Options(int workers, int lanes, IFaults faults) => new()
    {
        Workers = workers,
        Lanes = lanes,
        Servers = 2,
        Faults = faults,
        Ledger = _ledger,
        Akka = SameBitsTests.SerializeAll,
    };

    private void AssertSameBits(JobResult result)
    {
        Assert.Equal(WeightsHash.Of(_runtime.TrainPlainly()), result.WeightsSha256);
        _ledger.AssertExactlyOnce(_runtime.Plan, 2);
        Assert.Equal(0, _runtime.LanesAlive);
    }

    private sealed class Visits(Action<FaultPoint, int, long> visit) : IFaults
    {
        public void At(FaultPoint point, int worker, long step) => visit(point, worker, step);
    }
}
