using System.Security.Cryptography;
using ConvNet.Cluster.Management;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary>One training goes on from the weights of another: on one machine, and on a cluster whose coordinator alone has them.</summary>
public sealed class FineTuningTests : IAsyncLifetime
{
    private readonly ProcessCluster _cluster = new();

    private string Data => Path.Combine(_cluster.Folder, "data");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact(Timeout = 240_000)]
    public async Task A_model_is_tuned_to_the_same_weights_here_and_on_a_cluster()
    {
        Finished first = await Convnet.RunAsync(Data, "train", _cluster.WriteJob(epochs: 4), "--json", "--quiet", "--out", "first");
        Assert.True(first.ExitCode == 0, first.Error);
        string file = _cluster.WriteJob(epochs: 1, seed: 2), hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Data, "first", "model.safetensors"))));
        File.WriteAllText(file, File.ReadAllText(file).Replace("lr: 0.01", "lr: 0.001", StringComparison.Ordinal) + "init: first\nfreeze: [conv*, fc1.weight]\n");

        Finished here = await Convnet.RunAsync(Data, "train", file, "--json", "--out", "second");
        await _cluster.StartAllAsync(servers: 2, workers: 2);
        JobRecord there = await _cluster.DoneAsync(await _cluster.SubmitAsync(file));

        Assert.True(here.ExitCode == 0, here.Error);
        Assert.Equal(hash, here.Json.GetProperty("initSha256").GetString());
        Assert.True(here.Json.GetProperty("trainLoss").GetDouble() < first.Json.GetProperty("trainLoss").GetDouble(), "it begins where the first has come to");
        Assert.Contains("init     10 of 10 tensors (61,706 of 61,706 values) are those of first", here.Error, StringComparison.Ordinal);
        Assert.Contains("frozen   5 of 10 tensors", here.Error, StringComparison.Ordinal);
        Assert.Equal(here.WeightsSha256, there.WeightsSha256);
        Assert.Equal(hash, there.Spec.InitSha256);
        Assert.Contains(await _cluster.Client.LogAsync(there.Id, 0, default), line => line.Kind == "begins" && line.Text.StartsWith("init     10 of 10", StringComparison.Ordinal));
        Finished status = await Convnet.RunAsync(_cluster.Folder, "status", there.Id, "--to", _cluster.Coordinator.Jobs!);
        Assert.Contains($"first, sha256 {hash}", status.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_that_is_not_there_is_told_where_it_was_looked_for()
    {
        Finished run = await Convnet.RunAsync(Data, "train", "--init", "nowhere.safetensors", "--quiet");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"error: init: nowhere.safetensors: there is no such file (looked for {Path.Combine(Data, "nowhere.safetensors")})", run.Error, StringComparison.Ordinal);
    }
}
