using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Digits;

namespace ConvNet.Cluster.Tests.Jobs;

/// <summary>Every recipe leaves the same bits, however many servers the parameters are spread over.</summary>
public sealed class RecipeJobTests
{
    private static readonly DataSplits Digits = new("digits", Some(DigitSplit.Training, 112), Some(DigitSplit.Test, 16));

    public static TheoryData<string> Recipes =>
    [
        "optimizer: adam\nclip-norm: 0.3",
        "optimizer: adamw\nlabel-smoothing: 0.1\nclip-value: 0.01",
        "optimizer: rmsprop\nmomentum: 0.9\ndecay-exclude: bias-and-norm",
        "optimizer: adagrad\nwarm-up: 2 steps",
        "optimizer: lars\nlr: 2\ndecay-exclude: bias-and-norm",
        "optimizer: lars\nlr: 2\nclip-norm: 0.5\nclip-value: 0.2\nschedule: one-cycle",
        "clip-norm: 0.5\nschedule: polynomial\npower: 0.9",
    ];

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task Any_number_of_servers_and_workers_gives_the_same_bits(string recipe)
    {
        string one = await Train(recipe, new());

        Assert.NotEqual(await Train("", new()), one);
        Assert.Equal(one, await Train(recipe, new() { Servers = 2, Workers = 2 }));
        Assert.Equal(one, await Train(recipe, new() { Servers = 4, Lanes = 1 }));
        Assert.Equal(one, await Train(recipe, new() { Servers = 7, Workers = 3, Lanes = 1 }));
        Assert.Equal(one, await Train(recipe, new() { Servers = 3, Workers = 3, Lanes = 1, Faults = Fault.Kill(worker: 1, 2, FaultPoint.DuringPush) }));
    }

    [Fact]
    public async Task A_limit_that_is_never_reached_changes_nothing() =>
        Assert.Equal(await Train("", new()), await Train("clip-norm: 1e6", new() { Servers = 3 }));

    [Fact]
    public void Every_step_is_as_long_as_the_norm_allows()
    {
        JobSpec spec = JobFile.Parse("clip-norm: 0.5\nmomentum: 0\nweight-decay: 0\nlr: 1\nschedule: constant\n", "job.yaml");
        var job = new NetworkJob(spec, Digits);
        var update = job.CreateUpdate();
        float[] before = new float[job.Layout.Parameters], gradient = new float[before.Length];
        for (int i = 0; i < gradient.Length; i++)
            gradient[i] = MathF.Sin(i);
        float[] after = new float[before.Length];
        var sums = new Core.Numerics.ExactSum[1];

        update.Prepare(before, gradient, 1, 0, sums);
        update.Apply(before, after, gradient, new float[before.Length], 1, 0, 0, [sums[0].Value]);

        Assert.Equal(0.5, Math.Sqrt(after.Sum(w => (double)w * w)), 1e-5);
    }

    [Fact]
    public void Excluded_parameters_do_not_decay_and_others_do()
    {
        var job = new NetworkJob(new JobSpec(WeightDecay: 0.5f, Momentum: 0) { DecayExclude = "*.bias, conv1.weight" }, Digits);
        float[] weights = new float[job.Layout.Parameters], zeros = new float[weights.Length];
        Array.Fill(weights, 1);

        job.CreateUpdate().Apply([.. weights], weights, zeros, [.. zeros], 1, 0, 0, []);

        foreach (var parameter in job.Network.Parameters)
        {
            bool decays = parameter.Name != "conv1.weight" && !parameter.Name.EndsWith(".bias", StringComparison.Ordinal);
            Assert.All(weights.AsSpan(parameter.Offset, parameter.Length).ToArray(), w => Assert.Equal(decays, w < 1));
        }
    }

    [Fact]
    public async Task A_loss_that_is_not_finite_names_layer_micro_batch_and_worker()
    {
        var failure = await Assert.ThrowsAsync<JobFailedException>(() => Train("lr: 900\nschedule: constant", new() { Workers = 2, Lanes = 1, Servers = 2 }));

        Assert.Matches(
            "^the loss is (NaN|infinite) at step [2-4] of 4 \\(epoch 1\\): (weights of layer [a-z0-9]+ are|layer [a-z0-9]+ gave) (NaN|infinity) in micro-batch [12] \\(worker [01]\\). Lower --lr, it is 900, or set --clip-norm.$",
            failure.Message);
    }

    [Fact]
    public void A_recipe_that_does_not_fit_is_refused_before_anything_begins()
    {
        var unknown = Assert.Throws<JobFileException>(() => new NetworkJob(new JobSpec { DecayExclude = "bn*" }, Digits));
        var tooLong = Assert.Throws<JobFileException>(() => new NetworkJob(new JobSpec(Epochs: 2) { WarmUp = "2 steps" }, Digits));

        Assert.StartsWith("decay-exclude: no parameter of lenet5 is called \"bn*\"; they are called conv1.weight, conv1.bias,", unknown.Message, StringComparison.Ordinal);
        Assert.Equal("warm-up: 2 steps leave nothing of a job of 2 steps, 1 an epoch.", tooLong.Message);
    }

    private static async Task<string> Train(string recipe, LocalClusterOptions options)
    {
        JobSpec spec = JobFile.Parse($"epochs: 1\nbatch: 32\nmicro-batch: 16\n{recipe}\n", "job.yaml");
        using JobResult result = await LocalCluster.RunAsync(spec, new NetworkJob(spec, Digits), options);
        return result.WeightsSha256;
    }

    private static DataSet Some(DigitSplit split, int count)
    {
        (byte[] pixels, byte[] labels) = DigitSet.Draw(split, count, 2);
        return new DataSet("digits", new Shape(1, DigitSet.Side, DigitSet.Side), pixels, labels, [.. Enumerable.Range(0, 10).Select(d => $"{d}")]);
    }
}
