using Akka.Configuration;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Digits;

namespace ConvNet.Cluster.Tests.Jobs;

/// <summary>LeNet-5 itself, on a few of the built-in digits, by all the actors.</summary>
public sealed class NetworkJobTests
{
    private static readonly JobSpec Spec = new(Epochs: 2, Batch: 96, MicroBatch: 16);

    // 500 is no multiple of the batch, nor 90 of the micro-batch.
    private static readonly DataSplits Digits = new("digits", Some(DigitSplit.Training, 500), Some(DigitSplit.Test, 90));

    [Theory]
    [InlineData("lenet5")]
    [InlineData("lenet5-classic")]
    public async Task Workers_lanes_servers_and_deaths_leave_the_same_bits(string model)
    {
        string calm = await Train(model, new());

        Assert.Equal(calm, await Train(model, new() { Workers = 2, Lanes = 1, Servers = 2 }));
        Assert.Equal(calm, await Train(model, new() { Workers = 3, Lanes = 2, Servers = 4 }));
        Assert.Equal(calm, await Train(model, new() { Workers = 5, Lanes = 1 }));
        foreach (FaultPoint point in Enum.GetValues<FaultPoint>())
        {
            long step = point == FaultPoint.DuringEvaluation ? 6 : 4;
            Assert.Equal(calm, await Train(model, new() { Workers = 3, Lanes = 1, Servers = 2, Faults = Fault.Kill(worker: 1, step, point) }));
        }

        IFaults two = Fault.All(Fault.Kill(worker: 0, 2, FaultPoint.DuringPush), Fault.Kill(worker: 2, 2, FaultPoint.BeforePush));
        Assert.Equal(calm, await Train(model, new() { Workers = 3, Lanes = 1, Servers = 2, Faults = two }));
    }

    [Fact]
    public async Task Another_seed_gives_other_weights()
    {
        string one = await Train("lenet5", new());

        using JobResult other = await LocalCluster.RunAsync(Spec with { Seed = 2 }, new NetworkJob(Spec with { Seed = 2 }, Digits), new());

        Assert.NotEqual(one, other.WeightsSha256);
    }

    [Fact]
    public async Task What_it_learns_holds_on_digits_it_has_not_seen()
    {
        JobSpec longer = Spec with { Epochs = 12 };

        using JobResult result = await LocalCluster.RunAsync(longer, new NetworkJob(longer, Digits), new() { Workers = 2 });

        Assert.InRange(result.Epochs[^1].TestAccuracy!.Value, 0.7, 1);
        Assert.True(result.Epochs[^1].TrainLoss < 0.5 * result.Epochs[0].TrainLoss);
    }

    private static async Task<string> Train(string model, LocalClusterOptions options)
    {
        JobSpec spec = Spec with { Model = model };
        options = options with { Akka = ConfigurationFactory.ParseString("akka.actor.serialize-messages = on") };
        using JobResult result = await LocalCluster.RunAsync(spec, new NetworkJob(spec, Digits), options);
        return result.WeightsSha256;
    }

    private static DataSet Some(DigitSplit split, int count)
    {
        (byte[] pixels, byte[] labels) = DigitSet.Draw(split, count, 2);
        return new DataSet("digits", new Shape(1, DigitSet.Side, DigitSet.Side), pixels, labels, [.. Enumerable.Range(0, 10).Select(d => $"{d}")]);
    }
}
