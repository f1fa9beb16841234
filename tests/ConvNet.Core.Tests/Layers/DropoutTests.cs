using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;

namespace ConvNet.Core.Tests.Layers;

public sealed class DropoutTests
{
    private static readonly Network Dropping = new NetworkBuilder("dropping", Shape.Vector(1000))
        .Add("a", new Dropout(0.25f)).Add("b", new Dropout(0.25f)).Add("fc", new FullyConnected(2)).Build();

    [Fact]
    public void The_gradient_tells_that_the_share_p_is_dropped_and_the_rest_scaled_up()
    {
        float[] gradient = WeightGradient(new TrainingPass(Seed: 1, Step: 0, FirstSample: 0));
        float unit = gradient.Max(Math.Abs);

        Assert.InRange(gradient.Count(g => g == 0) / (double)gradient.Length, 0.39, 0.49);   // 1 − 0.75² = 0.4375
        Assert.All(gradient, g => Assert.True(g == 0 || Math.Abs(g) > 0.999f * unit));
    }

    [Fact]
    public void The_same_pass_drops_the_same_whoever_computes_it() =>
        Assert.Equal(WeightGradient(new TrainingPass(1, 5, 32)), WeightGradient(new TrainingPass(1, 5, 32)));

    [Theory]
    [InlineData(2, 5, 32)]
    [InlineData(1, 6, 32)]
    [InlineData(1, 5, 33)]
    public void Another_seed_step_or_sample_drops_others(ulong seed, long step, int firstSample) =>
        Assert.NotEqual(WeightGradient(new TrainingPass(1, 5, 32)), WeightGradient(new TrainingPass(seed, step, firstSample)));

    [Fact]
    public void Evaluation_drops_nothing()
    {
        using var workspace = new Workspace(new ExecutionPlan(Dropping, 1));
        var weights = new float[Dropping.StateLength];
        weights.AsSpan(0, 1000).Fill(0.001f);   // class 0 scores 1 if nothing is dropped
        workspace.Input.Fill(1);
        workspace.Labels.Fill(-1);
        var probabilities = new float[2];

        workspace.Predict(1, weights, probabilities);

        Assert.Equal(1 / (1 + Math.Exp(-1)), probabilities[0], 1e-5);
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1)]
    [InlineData(float.NaN)]
    public void A_probability_outside_0_to_1_is_refused(float probability) =>
        Assert.Contains("below 1", Assert.Throws<ShapeException>(() => new NetworkBuilder("x", Shape.Vector(2)).Add("drop", new Dropout(probability))).Message, StringComparison.Ordinal);

    /// <summary>By the first class' weights, for one sample of ones.</summary>
    private static float[] WeightGradient(TrainingPass pass)
    {
        using var workspace = new Workspace(new ExecutionPlan(Dropping, 1));
        for (int i = 0; i < workspace.Input.Length; i++)
            workspace.Input[i] = i % 16 == 0 ? 1 : 0;
        workspace.Labels.Fill(-1);
        workspace.Labels[0] = 1;
        var contribution = new float[Dropping.Layout.Length];
        workspace.Train(1, new float[Dropping.StateLength], contribution, pass);
        return contribution[..1000];
    }
}
