using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Tests.Fakes;

namespace ConvNet.Cluster.Tests.Hosting;

/// <summary>Early stopping and keeping the best weights: the same step and the same bits, however many machines.</summary>
public sealed class EpochGateTests
{
    // Epochs of 3 steps; the third of them is the best.
    private const int BestStep = 9;

    public static TheoryData<int, int> Shapes => new() { { 1, 1 }, { 3, 1 }, { 2, 2 }, { 3, 4 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task The_best_epoch_s_weights_are_the_result(int workers, int servers)
    {
        ToyRuntime runtime = Toy();

        using var result = await Run(runtime, new JobSpec { Keep = KeptWeights.Best }, new() { Workers = workers, Servers = servers, Lanes = 1 });

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly(BestStep)), result.WeightsSha256);
        Assert.Equal((runtime.Plan.TotalSteps, 2, false), (result.Version, result.BestEpoch!.Value, result.Stopped));
        Assert.Equal(4 / 23.0, result.Kept!.TestAccuracy);
        Assert.Equal(8, result.Epochs.Count);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task A_job_ends_when_no_epoch_has_been_better_for_long_enough(int workers, int servers)
    {
        ToyRuntime runtime = Toy();
        var observed = new Observed();

        using var result = await Run(runtime, new JobSpec { EarlyStop = 2 }, new() { Workers = workers, Servers = servers, Lanes = 1 }, observed);

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly(15)), result.WeightsSha256);
        Assert.Equal((15, null, false, 5), (result.Version, result.BestEpoch, result.Stopped, result.Epochs.Count));
        Assert.Equal(new JobEvent.EndsEarly(15, 4, 2), Assert.Single(observed.Of<JobEvent.EndsEarly>()));
    }

    [Fact]
    public async Task Both_together_and_a_worker_that_dies_at_an_epoch_s_end()
    {
        ToyRuntime runtime = Toy();
        var spec = new JobSpec { Keep = KeptWeights.Best, EarlyStop = 3 };

        using var result = await Run(runtime, spec, new() { Workers = 3, Servers = 2, Lanes = 1, Faults = Fault.Kill(worker: 1, BestStep, FaultPoint.DuringEvaluation) });

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly(BestStep)), result.WeightsSha256);
        Assert.Equal(18, result.Version);
    }

    [Fact]
    public async Task The_last_epoch_may_be_the_best()
    {
        ToyRuntime runtime = Toy(24);

        using var result = await Run(runtime, new JobSpec { Keep = KeptWeights.Best }, new() { Servers = 2 });

        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly()), result.WeightsSha256);
        Assert.Equal(7, result.BestEpoch);
    }

    [Fact]
    public async Task A_job_that_is_stopped_has_the_best_weights_so_far()
    {
        using var stop = new CancellationTokenSource();
        float best = Toy().TrainPlainly(BestStep)[7];
        var runtime = new ToyRuntime
        {
            Plan = Toy().Plan,
            Correct = w => w == best ? 4 : 3,
            BeforeTrain = (step, _) =>
            {
                if (step == 13)
                    stop.Cancel();
            },
        };

        using var result = await Run(runtime, new JobSpec { Keep = KeptWeights.Best }, new() { Workers = 2, Servers = 2, Lanes = 1 }, stop: stop.Token);

        Assert.Equal(WeightsHash.Of(Toy().TrainPlainly(BestStep)), result.WeightsSha256);
        Assert.Equal((true, 2), (result.Stopped, result.BestEpoch!.Value));
    }

    private static ToyRuntime Toy(int bestStep = BestStep)
    {
        var plan = new ToyRuntime().Plan with { Epochs = 8 };
        float best = new ToyRuntime { Plan = plan }.TrainPlainly(bestStep)[7];
        return new() { Plan = plan, Correct = w => w == best ? 4 : 3 };
    }

    private static async Task<JobResult> Run(ToyRuntime runtime, JobSpec spec, LocalClusterOptions options, Observed? observed = null, CancellationToken stop = default) =>
        await LocalCluster.RunAsync(spec, runtime, options with { Akka = SameBitsTests.SerializeAll, StragglerPatience = TimeSpan.FromMinutes(1) }, observed, stop)
            .WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
}
