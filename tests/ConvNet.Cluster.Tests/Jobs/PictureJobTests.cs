using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Data;
using ConvNet.Data.Images;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Cluster.Tests.Jobs;

/// <summary>Jobs whose pictures are decoded and changed while they run, ahead of the lanes.</summary>
public sealed class PictureJobTests : IDisposable
{
    private static readonly JobSpec Spec = new("resnet20", "images:8:pictures", Epochs: 2, Batch: 8, MicroBatch: 4, LearningRate: 0.01f, Augment: "crop 2, flip", Validation: 0.2f);

    private readonly TemporaryFolder _folder = new();

    public PictureJobTests() => SmallPictures.Write(_folder.Path, training: 13, test: 3);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Whether_pictures_are_held_in_memory_and_who_decodes_them_and_when_does_not_change_a_bit()
    {
        string held = await TrainAsync(Load(inMemory: true), new() { Lanes = 1 });

        Assert.Equal(held, await TrainAsync(Load(inMemory: false), new() { Lanes = 1 }));
        Assert.Equal(held, await TrainAsync(Load(inMemory: false), new() { Workers = 2, Lanes = 2, Servers = 2 }));
        Assert.Equal(held, await TrainAsync(Load(inMemory: false), new() { Workers = 3, Lanes = 1, Faults = Fault.Kill(worker: 1, 3, FaultPoint.DuringCompute) }));
        Assert.Equal(held, await TrainAsync(Load(inMemory: true), new() { Workers = 3, Lanes = 1 }));
    }

    [Fact]
    public async Task A_picture_that_is_lost_while_a_job_runs_fails_it_by_name()
    {
        DataSplits data = Load(inMemory: false);
        File.Delete(_folder.File("train/dark/7.png"));

        var error = await Assert.ThrowsAsync<JobFailedException>(() => TrainAsync(data, new(), Spec with { Validation = 0 }));

        Assert.Contains(Path.Combine("train", "dark", "7.png") + ": cannot be read", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_held_out_is_measured_on_and_not_learned_from()
    {
        var job = new NetworkJob(Spec, Load(inMemory: true));

        Assert.Equal((21, 5), (job.Data.Training.Count, job.Data.Test.Count));
        Assert.Equal((21, 5), (job.Plan.TrainingSamples, job.Plan.TestSamples));
    }

    private static async Task<string> TrainAsync(DataSplits data, LocalClusterOptions options, JobSpec? spec = null)
    {
        using JobResult result = await LocalCluster.RunAsync(spec ?? Spec, new NetworkJob(spec ?? Spec, data), options);
        return result.WeightsSha256;
    }

    private DataSplits Load(bool inMemory) => ImageFolder.Read("pictures", _folder.Path, ImageFolder.Files(_folder.Path), 8, mostBytesInMemory: inMemory ? int.MaxValue : 0);
}
