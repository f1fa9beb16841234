using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;
using ConvNet.Data;

namespace ConvNet.Cluster.Tests.Jobs;

/// <summary>Each family of the zoo, small, on colour images that are changed by chance: with dropout, batch and response normalisation, auxiliary outputs.</summary>
public sealed class FamilyTests
{
    [Theory]
    [InlineData("alexnet", 15)]
    [InlineData("zfnet", 17)]
    [InlineData("vgg11-bn", 32)]
    [InlineData("googlenet", 24)]
    [InlineData("resnet18", 8)]
    [InlineData("resnet20", 16)]
    public async Task One_two_and_three_workers_give_the_same_weights(string model, int size)
    {
        // 10 samples are no multiple of the batch of 8, nor 2 of the micro-batch of 4.
        var data = new DataSplits("blots", Blots(10, size, 1), Blots(5, size, 2));
        var spec = new JobSpec(model, Epochs: 1, Batch: 8, MicroBatch: 4, LearningRate: 0.001f, Augment: "crop 2, flip, erase 0.5");

        string one = await Train(spec, data, new() { Lanes = 1 });

        Assert.Equal(one, await Train(spec, data, new() { Workers = 2, Lanes = 1, Servers = 2 }));
        Assert.Equal(one, await Train(spec, data, new() { Workers = 3, Lanes = 1, ShardParameters = 100_000 }));
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(12, true)]
    public async Task The_share_among_the_five_most_probable_is_told_where_classes_are_many(int classes, bool told)
    {
        var data = new DataSplits("blots", Blots(24, 8, 1, classes), Blots(24, 8, 2, classes));
        var spec = new JobSpec("resnet20", Epochs: 1, Batch: 8, MicroBatch: 4);

        using JobResult result = await LocalCluster.RunAsync(spec, new NetworkJob(spec, data), new());

        Assert.Equal(told, result.Epochs[0].TestTop5 is { } share && share >= result.Epochs[0].TestAccuracy && share <= 1);
    }

    [Fact]
    public async Task What_chance_does_to_images_makes_other_weights()
    {
        var data = new DataSplits("blots", Blots(8, 8, 1), Blots(3, 8, 2));
        var spec = new JobSpec("resnet20", Epochs: 1, Batch: 8, MicroBatch: 4);

        Assert.NotEqual(await Train(spec, data, new()), await Train(spec with { Augment = "crop 2" }, data, new()));
    }

    private static async Task<string> Train(JobSpec spec, DataSplits data, LocalClusterOptions options)
    {
        using JobResult result = await LocalCluster.RunAsync(spec, new NetworkJob(spec, data), options);
        Assert.False(result.Stopped);
        Assert.True(float.IsFinite((float)result.Epochs[^1].TestLoss!.Value));
        return result.WeightsSha256;
    }

    private static DataSet Blots(int count, int size, ulong seed, int classes = 3)
    {
        var random = new Philox(seed, Purpose.Test);
        var shape = new Shape(3, size, size);
        byte[] pixels = [.. Enumerable.Range(0, count * shape.Elements).Select(i => (byte)random.Below(256, 0, (ulong)i))];
        return new DataSet("blots", shape, pixels, [.. Enumerable.Range(0, count).Select(i => (byte)(i % classes))], [.. Enumerable.Range(0, classes).Select(c => $"class {c}")]);
    }
}
