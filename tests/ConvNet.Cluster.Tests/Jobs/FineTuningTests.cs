using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.DataSets;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Tests.Hosting;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Tests.Support;
using MessagePack;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConvNet.Cluster.Tests.Jobs;

/// <summary>Jobs that begin with weights from a file, and leave some of them as they are.</summary>
public sealed class FineTuningTests : IDisposable
{
    private const string Frozen = "conv1.weight, bn1.*, layer1.*, layer2.0.bn1.weight";

    private static readonly DataSplits Three = Blots(classes: 3);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("optimizer: adam\nclip-norm: 0.3\ndecay-exclude: bias-and-norm")]
    [InlineData("optimizer: lars\nlr: 0.5\nclip-value: 0.1")]
    public async Task Any_number_of_workers_and_servers_gives_the_same_bits(string recipe)
    {
        JobSpec spec = Spec(recipe, Frozen);
        NetworkJob job = Begin(spec, Three);

        float[] one = await Train(job, new() { Lanes = 1 });

        Assert.NotEqual(one, await Train(Begin(spec with { Freeze = null }, Three), new()));
        Assert.Equal(one, await Train(job, new() { Workers = 2, Lanes = 1, Servers = 2 }));
        Assert.Equal(one, await Train(job, new() { Workers = 3, Lanes = 1, Servers = 5 }));
        Assert.Equal(one, await Train(job, new() { Workers = 3, Lanes = 1, Servers = 3, Faults = Fault.Kill(worker: 1, 1, FaultPoint.DuringPush) }));
    }

    [Fact]
    public async Task Servers_that_have_no_file_are_given_the_weights_and_come_to_the_same_bits()
    {
        JobSpec spec = Spec("optimizer: adam", Frozen);
        float[] here = await Train(Begin(spec, Three), new());

        // The nodes make their runtime without the file, as on other machines.
        NetworkJob job = Begin(spec, Three), elsewhere = new(job.Spec, Three);
        using var transport = new InProcessTransport();
        using var from = new StartingPoint(job);
        var threads = new DedicatedThreads();
        var finished = new TaskCompletionSource<JobResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var system = ActorSystem.Create("convnet", SameBitsTests.SerializeAll.WithFallback(ClusterConfig.Default));
        try
        {
            system.ActorOf(LocalJobHost.PropsFor(
                new NodeParts(new GivenRuntime(elsewhere), transport, threads, 1, Fault.None, null), new() { Workers = 2, Servers = 3 }, 3,
                (servers, workers) => new CoordinatorJob("j1.1", job.Spec, job, servers, workers, transport, TimeProvider.System, null) { From = from }, finished));
            using JobResult result = await finished.Task.WaitAsync(TimeSpan.FromSeconds(60));

            Assert.Equal(here, result.State.ToArray());
        }
        finally
        {
            await system.Terminate();
            await threads.WhenAllEnded();
        }
    }

    [Fact]
    public async Task What_is_frozen_keeps_its_bits_and_all_else_learns()
    {
        NetworkJob job = Begin(Spec("clip-norm: 1\nweight-decay: 0.01", Frozen), Three);
        float[] before = Given(job);

        float[] after = await Train(job, new());

        foreach (NamedTensor tensor in NamedTensor.Of(job.Network))
        {
            bool stays = tensor.Name is "conv1.weight" or "layer2.0.bn1.weight" || tensor.Name.StartsWith("bn1.", StringComparison.Ordinal) || tensor.Name.StartsWith("layer1.", StringComparison.Ordinal);
            bool same = before.AsSpan(tensor.Offset, tensor.Length).SequenceEqual(after.AsSpan(tensor.Offset, tensor.Length));
            Assert.True(stays == same, tensor.Name);
        }
    }

    [Fact]
    public async Task The_running_statistics_of_a_layer_stay_when_all_its_parameters_do()
    {
        NetworkJob job = Begin(Spec("", "bn1.weight, bn1.bias, layer1.0.bn1.weight"), Three);
        float[] before = Given(job);

        float[] after = await Train(job, new());

        float[] Of(float[] state, string name) => NamedTensor.Of(job.Network).Single(t => t.Name == name) is var t ? state[t.Offset..(t.Offset + t.Length)] : [];
        Assert.Equal(Of(before, "bn1.running_var"), Of(after, "bn1.running_var"));
        Assert.NotEqual(Of(before, "layer1.0.bn1.running_var"), Of(after, "layer1.0.bn1.running_var"));
    }

    [Fact]
    public async Task A_job_begins_where_the_one_before_has_come_to()
    {
        using JobResult before = await Run(new NetworkJob(Spec("", null), Three), new());
        SavedTensors saved = Save(new NetworkJob(Spec("", null), Three), before.State.ToArray());

        // Steps too small to change a weight: what is measured is what was saved.
        JobSpec still = Spec("lr: 1e-30\nweight-decay: 0\nepochs: 1\nseed: 5", "bn1.running_*, *.running_*");
        using JobResult after = await Run(new NetworkJob(still with { Init = "w" }, Three, saved), new());

        Assert.Equal(before.WeightsSha256, after.WeightsSha256);
        Assert.Equal(before.Epochs[^1].TestLoss, after.Epochs[^1].TestLoss);
    }

    [Fact]
    public async Task Other_classes_are_learned_from_what_the_seed_gives_the_classifier()
    {
        DataSplits five = Blots(classes: 5);
        NetworkJob job = new(Spec("", null) with { Init = "w" }, five, Save(new NetworkJob(Spec("", null), Three)));

        Assert.Contains("fc.weight, fc.bias stay at their initial values, for other classes: the file has [3, 64], [3], resnet20 [5, 64], [5]", job.Beginning[1], StringComparison.Ordinal);
        Assert.Equal(await Train(job, new()), await Train(job, new() { Workers = 2, Servers = 2 }));
    }

    [Fact]
    public void A_gradient_of_a_frozen_parameter_is_no_part_of_any_norm()
    {
        var job = new NetworkJob(Spec("clip-norm: 1", "conv1.weight"), Three);
        float[] gradient = new float[job.Layout.Parameters];
        (gradient[0], gradient[^1]) = (float.NaN, 4);   // of conv1.weight, of fc.bias
        var sums = new Core.Numerics.ExactSum[1];

        job.CreateUpdate().Prepare(new float[gradient.Length], gradient, 1, 0, sums);

        Assert.Equal(16, sums[0].Value);
    }

    [Theory]
    [InlineData("conv9.*", "freeze: no parameter of resnet20 is called \"conv9.*\"; they are called conv1.weight, bn1.weight, bn1.bias, layer1.0.conv1.weight and so on ('convnet describe').")]
    [InlineData("*", "freeze: * leaves nothing of resnet20 to be learned. Leave its last layer out of it, fc.bias.")]
    public void A_pattern_that_cannot_be_meant_is_an_error(string freeze, string expected) =>
        Assert.Equal(expected, Assert.Throws<JobFileException>(() => new NetworkJob(Spec("", freeze), Three)).Message);

    [Fact]
    public void A_definition_without_the_weights_makes_no_others() =>
        Assert.Throws<InvalidOperationException>(() => new NetworkJob(Spec("", null) with { Init = "w" }, Three).WriteInitialState(0, new float[16]));

    [Fact]
    public void The_fields_are_read_kept_and_sent_and_other_jobs_do_without()
    {
        JobSpec spec = JobFile.Parse("init: runs/first\nfreeze: [conv*, 'bn1.*']\n", "job.yaml") with { InitSha256 = "ab" };

        Assert.Equal(new JobSpec(Init: "runs/first", InitSha256: "ab", Freeze: "conv*, bn1.*"), spec);
        Assert.Equal(spec, MessagePackSerializer.Deserialize<JobSpec>(MessagePackSerializer.Serialize(spec, ClusterSerializer.Options), ClusterSerializer.Options));
        Assert.Equal(new JobSpec(), new JobDraft().ReadYaml("init: x\nfreeze: y\n", "job.yaml").SetOption("init", "none").SetOption("freeze", "none").ToSpec());
        Assert.DoesNotContain("init", System.Text.Json.JsonSerializer.Serialize(new JobSpec(), ManagementJson.Options), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("job.yaml:1: freeze: expected none, or names of tensors", Assert.Throws<JobFileException>(() => JobFile.Parse("freeze: 'a,,b'\n", "job.yaml")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_submitted_job_keeps_the_hash_of_its_file_and_refuses_another()
    {
        SmallSet.Write(_folder.File("data/small"), training: 64, test: 32);
        var spec = new JobSpec(Data: "mnist:small", Epochs: 1, Batch: 32, MicroBatch: 16, Init: "first");
        using var transport = new InProcessTransport();
        JobPreparation preparation = Preparation(transport);
        var digits = new NetworkJob(spec with { Init = null }, DataSource.Load($"mnist:{_folder.File("data/small")}"));

        Assert.Contains("init: first: there is no such file in the data directory", (await Assert.ThrowsAsync<JobServiceException>(() => preparation.CheckAsync(spec))).Message, StringComparison.Ordinal);

        Directory.CreateDirectory(_folder.File("data/first"));
        SavedTensors saved = Save(digits, null, "data/first/model.safetensors");
        JobSpec kept = await preparation.CheckAsync(spec);
        Assert.Equal(spec with { InitSha256 = saved.Sha256 }, kept);

        var record = new JobRecord("j1", "tuned", kept, 0, JobState.Queued, default);
        using (IPreparedAttempt attempt = await preparation.PrepareAsync(record))
        {
            Assert.Equal(["init     10 of 10 tensors (61,706 of 61,706 values) are those of first"], attempt.Beginning);
            Assert.Equal(Given(new NetworkJob(spec, digits.Data, saved)), attempt.Coordinate("j1.1", [], null!).From!.State.Span.ToArray());
        }

        SavedTensors other = Save(digits, [.. Enumerable.Repeat(0.5f, digits.Layout.StateLength)], "data/first/model.safetensors");
        JobServiceException changed = await Assert.ThrowsAsync<JobServiceException>(() => preparation.PrepareAsync(record));
        Assert.Equal($"init: first is not what the job began with: its SHA-256 is {other.Sha256}, it was {saved.Sha256}. Put the file back, or submit the job anew.", changed.Message);
    }

    [Fact]
    public async Task A_job_that_goes_on_from_a_checkpoint_does_without_its_file()
    {
        SmallSet.Write(_folder.File("data/small"), training: 64, test: 32);
        using var transport = new InProcessTransport();
        JobPreparation preparation = Preparation(transport);
        var digits = new NetworkJob(new JobSpec(), DataSource.Load($"mnist:{_folder.File("data/small")}"));
        Save(digits, null, "data/first.safetensors");
        JobSpec kept = await preparation.CheckAsync(new JobSpec(Data: "mnist:small", Epochs: 1, Batch: 32, MicroBatch: 16, Init: "first.safetensors"));
        var record = new JobRecord("j1", "tuned", kept, 0, JobState.Queued, default);
        float[] state = [.. Enumerable.Repeat(0.25f, digits.Layout.StateLength)];
        using (IPreparedAttempt attempt = await preparation.PrepareAsync(record))
            attempt.Coordinate("j1.1", [], null!).Checkpoints!.Value.Write(1, state, new float[digits.Layout.Parameters], 1, [], []);
        File.Delete(_folder.File("data/first.safetensors"));

        using IPreparedAttempt next = await preparation.PrepareAsync(record);

        Assert.Equal(1, next.Step);
        Assert.Empty(next.Beginning);
        Assert.Equal(state, next.Coordinate("j1.2", [], null!).From!.State.Span.ToArray());
    }

    private static JobSpec Spec(string recipe, string? freeze) =>
        new JobDraft().ReadYaml("model: resnet20\nepochs: 2\nbatch: 8\nmicro-batch: 4\nlr: 0.01\n", "base.yaml").ReadYaml(recipe, "recipe.yaml").ToSpec() with { Freeze = freeze };

    private JobPreparation Preparation(InProcessTransport transport)
    {
        var data = new CoordinatorData(NodeData.At(_folder.File("data"), trains: false, transport, NullLogger.Instance), transport, NullLogger.Instance);
        return new JobPreparation(data, _folder.File("work"), CheckpointPolicy.Default, transport, TimeProvider.System);
    }

    private static float[] Given(NetworkJob job)
    {
        float[] state = new float[job.Layout.StateLength];
        job.WriteInitialState(0, state);
        return state;
    }

    private static async Task<JobResult> Run(NetworkJob job, LocalClusterOptions options)
    {
        JobResult result = await LocalCluster.RunAsync(job.Spec, job, options);
        Assert.False(result.Stopped);
        return result;
    }

    private static async Task<float[]> Train(NetworkJob job, LocalClusterOptions options)
    {
        using JobResult result = await Run(job, options);
        return result.State.ToArray();
    }

    /// <summary>A job that begins with weights that no seed gives.</summary>
    private NetworkJob Begin(JobSpec spec, DataSplits data)
    {
        var plain = new NetworkJob(spec with { Freeze = null }, data);
        float[] state = Given(plain);
        for (int i = 0; i < state.Length; i++)
            state[i] += (i % 7) / 64f;
        return new NetworkJob(spec with { Init = "w" }, data, Save(plain, state));
    }

    private SavedTensors Save(NetworkJob job, float[]? state = null, string name = "w.safetensors")
    {
        Safetensors.Write(_folder.File(name), NamedTensor.Of(job.Network), state ?? Given(job), new Dictionary<string, string>());
        return SavedTensors.Read("w", _folder.File(name));
    }

    private static DataSplits Blots(int classes)
    {
        DataSet Some(int count, ulong seed)
        {
            var random = new Philox(seed, Purpose.Test);
            var shape = new Shape(3, 8, 8);
            byte[] pixels = [.. Enumerable.Range(0, count * shape.Elements).Select(i => (byte)random.Below(256, 0, (ulong)i))];
            return new DataSet("blots", shape, pixels, [.. Enumerable.Range(0, count).Select(i => (byte)(i % classes))], [.. Enumerable.Range(0, classes).Select(c => $"{c}")]);
        }

        return new DataSplits("blots", Some(10, 1), Some(5, 2));
    }
}
