using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Tensors;
using ConvNet.Core.Tests.Layers;
using ConvNet.Core.Training;

namespace ConvNet.Core.Tests.Models;

public sealed class CifarResNetTests
{
    /// <summary>Fifty steps of ResNet-20 on small images, beside the same written out in double precision.</summary>
    [Fact]
    public void Fifty_losses_are_those_of_an_independent_double_precision_training()
    {
        const int Batch = 8, Classes = 4, Side = 8;
        const float Rate = 0.01f, Momentum = 0.9f;
        Network network = CifarResNet.Build(20, new Shape(3, Side, Side), Classes);
        using var workspace = new Workspace(new ExecutionPlan(network, Batch));
        float[] state = new float[network.StateLength], velocity = new float[network.ParameterCount], contribution = new float[network.Layout.Length];
        network.Initialize(state, seed: 5);
        var sgd = new Sgd(Momentum, 0);
        var reference = new DoubleResNet(network, state);
        var random = new Random(11);
        var (losses, expected) = (new float[50], new double[50]);

        for (int step = 0; step < 50; step++)
        {
            int[] labels = [.. Enumerable.Range(0, Batch).Select(_ => random.Next(Classes))];
            double[] images = [.. labels.SelectMany(label => Image(random, label, Side))];
            SampleLanes.Write(images, Batch, workspace.Input);
            workspace.Labels.Fill(-1);
            labels.CopyTo(workspace.Labels);

            workspace.Train(Batch, state, contribution);
            losses[step] = contribution[network.Layout.MetricsOffset + ContributionLayout.LossSum] / Batch;
            sgd.Apply(state.AsSpan(0, network.ParameterCount), contribution.AsSpan(0, network.ParameterCount), velocity, 1f / Batch, Rate);
            expected[step] = reference.Step(images, labels, Rate, Momentum);
        }

        // Rounding grows from step to step: a difference in one place of a weight is multiplied by twenty layers, fifty times.
        for (int step = 0; step < 50; step++)
            Assert.True(Math.Abs(losses[step] - expected[step]) <= 2e-6 * Math.Pow(1.2, step), $"step {step}: {losses[step]:R}, expected {expected[step]:R}");
        Assert.True(losses[^5..].Average() < losses[..5].Average() / 2, $"from {losses[..5].Average()} to {losses[^5..].Average()}: it does not learn");
    }

    /// <summary>Noise with one bright quarter, which is the class.</summary>
    private static double[] Image(Random random, int label, int side) =>
        [.. from c in Enumerable.Range(0, 3)
            from h in Enumerable.Range(0, side)
            from w in Enumerable.Range(0, side)
            select (double)(float)(random.NextDouble() - 0.5 + (h / (side / 2) == label / 2 && w / (side / 2) == label % 2 ? 1 : 0))];
}
