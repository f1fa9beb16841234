using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Tests.Fakes;

namespace ConvNet.Cluster.Tests.Hosting;

public sealed class EndOfJobTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 4)]
    public async Task A_job_that_is_stopped_ends_at_one_version_with_the_weights_of_a_job_of_that_length(int workers, int servers)
    {
        using var stop = new CancellationTokenSource();
        var runtime = new ToyRuntime
        {
            Plan = new(TrainingSamples: 4000, TestSamples: 23, Batch: 20, MicroBatch: 4, Epochs: 1000),
            BeforeTrain = (step, _) =>
            {
                if (step == 30)
                    stop.Cancel();
            },
        };

        using var result = await SameBitsTests.Run(runtime, new() { Workers = workers, Servers = servers, Lanes = 2 }, stop: stop.Token);

        Assert.True(result.Stopped);
        Assert.InRange(result.Version, 30, runtime.Plan.TotalSteps - 1);
        Assert.Equal(WeightsHash.Of(new ToyRuntime { Plan = runtime.Plan }.TrainPlainly(result.Version)), result.WeightsSha256);
        Assert.Equal(result.Version * 20, result.Epochs.Sum(e => e.Samples));
        Assert.Equal(0, runtime.LanesAlive);
    }

    [Fact]
    public async Task A_job_that_is_stopped_before_it_begins_has_its_initial_weights()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var runtime = new ToyRuntime { Plan = new(TrainingSamples: 4000, TestSamples: 0, Batch: 20, MicroBatch: 4, Epochs: 1000) };

        using var result = await SameBitsTests.Run(runtime, new() { Workers = 2, Servers = 2 }, stop: stop.Token);

        Assert.True(result.Stopped);
        Assert.Equal(WeightsHash.Of(runtime.TrainPlainly(result.Version)), result.WeightsSha256);
    }

    [Fact]
    public async Task A_worker_that_dies_while_the_job_stops_does_not_hold_it_up()
    {
        using var stop = new CancellationTokenSource();
        var runtime = new ToyRuntime
        {
            Plan = new(TrainingSamples: 4000, TestSamples: 0, Batch: 20, MicroBatch: 4, Epochs: 1000),
            BeforeTrain = (step, _) =>
            {
                if (step == 30)
                    stop.Cancel();
            },
        };

        using var result = await SameBitsTests.Run(
            runtime, new() { Workers = 2, Servers = 4, Lanes = 1, Faults = Fault.Kill(worker: 1, atStep: 30, FaultPoint.DuringPush) }, stop: stop.Token);

        Assert.Equal(WeightsHash.Of(new ToyRuntime { Plan = runtime.Plan }.TrainPlainly(result.Version)), result.WeightsSha256);
    }

    [Theory]
    [InlineData(float.NaN, "the loss is NaN at step 6 of 9 (epoch 2). Lower --lr, it is 0.02, or set --clip-norm.")]
    [InlineData(float.PositiveInfinity, "the loss is infinite at step 6 of 9 (epoch 2). Lower --lr, it is 0.02, or set --clip-norm.")]
    public async Task A_loss_that_is_no_number_fails_the_job_and_says_where(float loss, string expected)
    {
        var runtime = new ToyRuntime { Loss = step => step == 5 ? loss : null };

        var failure = await Assert.ThrowsAsync<JobFailedException>(() => SameBitsTests.Run(runtime, new() { Workers = 2, Servers = 2 }));

        Assert.Equal(expected, failure.Message);
        Assert.Equal(0, runtime.LanesAlive);
    }

    [Fact]
    public async Task A_lane_that_fails_everywhere_fails_the_job_and_says_why()
    {
        var runtime = new ToyRuntime { BeforeTrain = (step, _) => _ = step == 4 ? throw new InvalidDataException("sample 17 is torn") : 0 };
        var observed = new Observed();

        var failure = await Assert.ThrowsAsync<JobFailedException>(() => SameBitsTests.Run(runtime, new() { Workers = 2, Servers = 2, Lanes = 1 }, observed));

        Assert.Matches("^no worker is left after step [0-4] of 9. The last one: worker [01], lane 0: InvalidDataException: sample 17 is torn\\.$", failure.Message);
        Assert.Equal(2, observed.Of<JobEvent.WorkerLost>().Count());
        Assert.Equal(0, runtime.LanesAlive);
    }

    [Fact]
    public async Task Progress_is_told_step_by_step_and_epoch_by_epoch()
    {
        var runtime = new ToyRuntime();
        var observed = new Observed();

        using var result = await SameBitsTests.Run(runtime, new() { Workers = 2, Servers = 2 }, observed);

        Assert.Equal(new JobEvent.Began(2, 9, 3), Assert.Single(observed.Of<JobEvent.Began>()));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8], observed.Of<JobEvent.Stepped>().Select(s => s.Step));
        Assert.Equal([20, 20, 10, 20, 20, 10, 20, 20, 10], observed.Of<JobEvent.Stepped>().Select(s => s.Samples));
        Assert.Equal([3, 6, 9], observed.Of<JobEvent.Evaluated>().Select(e => e.Version));
        Assert.Equal([50, 50, 50], result.Epochs.Select(e => e.Samples));
        Assert.All(result.Epochs, e => Assert.Equal((50 - 13) / 50.0, e.TrainAccuracy));
        Assert.All(result.Epochs, e => Assert.Equal((23 - 6) / 23.0, e.TestAccuracy));
        Assert.Equal(150, result.Throughput.Samples);
    }

    [Theory]
    [InlineData(0, 1, 1, "--workers is 0; it takes 1 to 1024.")]
    [InlineData(1, 0, 1, "--lanes is 0; it takes 1 to 1024.")]
    [InlineData(1, 1, 14, "--servers is 14; a model of 203 parameters takes 1 to 13 (a server holds at least 16 parameters).")]
    public async Task Numbers_that_make_no_sense_are_refused(int workers, int lanes, int servers, string expected)
    {
        var wrong = await Assert.ThrowsAsync<ArgumentException>(
            () => SameBitsTests.Run(new ToyRuntime(), new() { Workers = workers, Lanes = lanes, Servers = servers }));

        Assert.Equal(expected, wrong.Message);
    }
}
