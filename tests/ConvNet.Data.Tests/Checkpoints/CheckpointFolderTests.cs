using ConvNet.Data.Checkpoints;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Checkpoints;

public sealed class CheckpointFolderTests : IDisposable
{
    private static readonly NamedTensor[] Names = [new("conv1.weight", [2, 2], 0), new("conv1.bias", [1], 4)];
    private static readonly CheckpointEpoch[] Epochs = [new(0, 60, 12.5, 40, 0.25, 0.75), new(1, 20, double.NaN, 3, null, null)];

    private readonly TemporaryFolder _folder = new();
    private readonly CheckpointFolder _checkpoints;

    public CheckpointFolderTests() => _checkpoints = new(_folder.File("checkpoints"), "job-a");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read_again()
    {
        var (path, bytes) = Write(7);

        var (newest, warnings) = _checkpoints.ReadNewest();

        Assert.Empty(warnings);
        Assert.Equal(7, newest!.Manifest.Step);
        Assert.Equal(State(7), newest.State);
        Assert.Equal(Optimizer(7), newest.Optimizer);
        Assert.Equal(Epochs, newest.Manifest.Epochs);
        Assert.Equal(Directory.GetFiles(path).Where(f => !f.EndsWith(".json", StringComparison.Ordinal)).Sum(f => new FileInfo(f).Length), bytes);
    }

    [Fact]
    public void The_best_weights_so_far_are_kept_beside_the_newest()
    {
        _checkpoints.Write(7, Names, State(7), Optimizer(7), planes: 2, Epochs, keep: 3, best: State(3));
        var first = _checkpoints.ReadNewest().Newest!;
        Write(8);

        Assert.Equal(State(3), first.Best);
        Assert.Equal(State(7), first.State);
        Assert.Null(_checkpoints.ReadNewest().Newest!.Best);
    }

    [Fact]
    public void The_weights_can_be_read_by_others_under_their_names()
    {
        var (path, _) = Write(7);

        var (tensors, values) = Safetensors.Read(Path.Combine(path, CheckpointFolder.WeightsName));

        Assert.Equal(["conv1.weight", "conv1.bias", "statistics"], tensors.Select(t => t.Name));
        Assert.Equal(State(7), values);
    }

    [Fact]
    public void The_newest_few_are_kept()
    {
        foreach (long step in new long[] { 5, 900, 1000, 20_000 })
            Write(step, keep: 2);

        Assert.Equal(["step-000000020000", "step-000000001000"], _checkpoints.Newest().Select(Path.GetFileName));
    }

    [Fact]
    public void A_checkpoint_of_a_step_that_is_there_takes_its_place()
    {
        var (path, _) = Write(7);
        File.Delete(Path.Combine(path, CheckpointFolder.WeightsName));

        Write(7);

        Assert.Empty(_checkpoints.ReadNewest().Warnings);
        Assert.Single(Directory.GetDirectories(_folder.File("checkpoints")));
    }

    public static TheoryData<string, Action<string>, string> Damages() => new()
    {
        { "no manifest", path => File.Delete(Path.Combine(path, "manifest.json")), "manifest.json cannot be read" },
        { "half a manifest", path => Cut(Path.Combine(path, "manifest.json")), "manifest.json cannot be read" },
        { "empty manifest", path => File.WriteAllText(Path.Combine(path, "manifest.json"), "null"), "manifest.json is empty" },
        { "no weights", path => File.Delete(Path.Combine(path, "weights.safetensors")), "weights.safetensors cannot be read" },
        { "half the weights", path => Cut(Path.Combine(path, "weights.safetensors")), "weights.safetensors has" },
        { "another bit", path => Flip(Path.Combine(path, "optimizer.safetensors")), "optimizer.safetensors is damaged" },
        { "other format", path => Replace(path, "convnet-checkpoint/1", "convnet-checkpoint/9"), "its format is convnet-checkpoint/9" },
        { "other job", path => Replace(path, "job-a", "job-b"), "it is of another job" },
        { "file left out", path => Replace(path, "optimizer.safetensors", "somewhere.safetensors"), "does not mention optimizer.safetensors" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_one_is_passed_over_with_a_warning(string what, Action<string> damage, string says)
    {
        Write(7);
        var (path, _) = Write(8);
        damage(path);

        var (newest, warnings) = _checkpoints.ReadNewest();

        Assert.Equal(7, newest!.Manifest.Step);
        Assert.Equal(State(7), newest.State);
        string warning = Assert.Single(warnings);
        Assert.Contains(path, warning, StringComparison.Ordinal);
        Assert.True(warning.Contains(says, StringComparison.Ordinal), $"{what}: {warning}");
    }

    [Fact]
    public void What_a_killed_writer_left_behind_is_no_checkpoint_and_is_cleared_away()
    {
        Write(7);
        string torn = Path.Combine(_folder.File("checkpoints"), "step-000000000008.tmp");
        Directory.CreateDirectory(torn);
        File.WriteAllText(Path.Combine(torn, "weights.safetensors"), "half");

        Assert.Equal(7, _checkpoints.ReadNewest().Newest!.Manifest.Step);
        Write(9);

        Assert.False(Directory.Exists(torn));
    }

    [Fact]
    public void Where_nothing_was_written_there_is_nothing()
    {
        var (newest, warnings) = _checkpoints.ReadNewest();

        Assert.Null(newest);
        Assert.Empty(warnings);
    }

    private static float[] State(long step) => [.. Enumerable.Range(0, 7).Select(i => i + (step * 0.5f))];

    private static float[] Optimizer(long step) => [.. Enumerable.Range(0, 10).Select(i => i - (step * 0.25f))];

    private (string Folder, long Bytes) Write(long step, int keep = 3) => _checkpoints.Write(step, Names, State(step), Optimizer(step), planes: 2, Epochs, keep);

    private static void Cut(string path)
    {
        byte[] all = File.ReadAllBytes(path);
        File.WriteAllBytes(path, all[..(all.Length / 2)]);
    }

    private static void Flip(string path)
    {
        byte[] all = File.ReadAllBytes(path);
        all[^1] ^= 1;
        File.WriteAllBytes(path, all);
    }

    private static void Replace(string folder, string what, string with)
    {
        string path = Path.Combine(folder, "manifest.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace(what, with, StringComparison.Ordinal));
    }
}
