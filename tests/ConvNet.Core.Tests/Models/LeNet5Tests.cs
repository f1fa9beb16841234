using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using Xunit;

namespace ConvNet.Core.Tests.Models;

public class LeNet5Tests
{
    public static TheoryData<string> Names => ["lenet5", "lenet5-classic"];

    [Theory]
    [MemberData(nameof(Names))]
    public void As_published_it_has_61706_parameters_and_416520_multiply_adds(string name)
    {
        Network network = Build(name, new Shape(1, 28, 28), 10);

        Assert.Equal(name, network.Name);
        Assert.Equal(61_706, network.ParameterCount);
        Assert.Equal(416_520, network.MultiplyAdds);
        Assert.Equal(10, network.Classes);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_parameters_are_named_and_shaped_as_the_rest_of_the_world_has_them(string name) => Assert.Equal(
        [
            "conv1.weight 6x1x5x5 @0", "conv1.bias 6 @150", "conv2.weight 16x6x5x5 @156", "conv2.bias 16 @2556",
            "fc1.weight 120x400 @2572", "fc1.bias 120 @50572", "fc2.weight 84x120 @50692", "fc2.bias 84 @60772",
            "fc3.weight 10x84 @60856", "fc3.bias 10 @61696",
        ],
        Build(name, new Shape(1, 28, 28), 10).Parameters.Select(p => $"{p.Name} {string.Join("x", p.Shape)} @{p.Offset}"));

    [Fact]
    public void Images_shrink_as_in_the_paper() => Assert.Equal(
        ["6x28x28", "6x28x28", "6x14x14", "16x10x10", "16x10x10", "16x5x5", "400", "120", "120", "84", "84", "10"],
        Build("lenet5", new Shape(1, 28, 28), 10).Nodes.Select(n => n.Output.ToString()));

    [Fact]
    public void The_modern_form_has_relu_and_maxima_the_classic_one_tanh_and_means()
    {
        Network modern = LeNet5.Modern(new Shape(1, 28, 28), 10), classic = LeNet5.Classic(new Shape(1, 28, 28), 10);

        Assert.Equal((4, 2), (modern.Nodes.Count(n => n.Layer is Relu), modern.Nodes.Count(n => n.Layer is MaxPool2D)));
        Assert.Equal((4, 2), (classic.Nodes.Count(n => n.Layer is Tanh), classic.Nodes.Count(n => n.Layer is AveragePool2D)));
        Assert.All(modern.Nodes.Select(n => n.Layer).OfType<Conv2D>(), c => Assert.Equal(Initializer.HeUniform, c.Initializer));
        Assert.All(classic.Nodes.Select(n => n.Layer).OfType<Conv2D>(), c => Assert.Equal(Initializer.XavierUniform, c.Initializer));
    }

    [Theory]
    [InlineData(1, 32, 32, 10, 82_826)]
    [InlineData(3, 32, 32, 100, 90_776)]
    [InlineData(1, 28, 28, 26, 63_066)]
    [InlineData(1, 12, 12, 2, 14_946)]
    [InlineData(2, 13, 40, 3, 28_621)]
    public void Other_images_and_classes_will_do(int channels, int height, int width, int classes, int parameters)
    {
        foreach (string name in Names)
        {
            Network network = Build(name, new Shape(channels, height, width), classes);
            Assert.Equal((classes, parameters), (network.Classes, network.ParameterCount));
        }
    }

    [Theory]
    [InlineData(1, "pool1: a 2×2 window does not fit an input of 6 with padding valid.")]
    [InlineData(8, "conv2: a 5×5 window does not fit an input of 6x4x4 with padding valid.")]
    [InlineData(11, "pool2: a 2×2 window does not fit an input of 16 with padding valid.")]
    public void An_image_that_is_too_small_is_refused_by_the_layer_where_it_ends(int size, string message) =>
        Assert.Equal(message, Assert.Throws<ShapeException>(() => LeNet5.Modern(new Shape(1, size, size), 10)).Message);

    [Fact]
    public void No_classes_are_refused() =>
        Assert.Equal("fc3: takes at least 1 output, got 0.", Assert.Throws<ShapeException>(() => LeNet5.Classic(new Shape(1, 28, 28), 0)).Message);

    [Fact]
    public void The_zoo_finds_models_by_name_and_builds_each_as_published()
    {
        Assert.Null(ModelZoo.Find("lenet"));
        Assert.All(ModelZoo.All, m =>
        {
            Assert.Same(m, ModelZoo.Find(m.Name));
            Assert.Equal(m.Name, m.Build(m.Input, m.Classes).Name);
        });
    }

    /// <summary>Fifty steps of stochastic gradient descent, beside the same written out in double precision.</summary>
    [Theory]
    [InlineData("lenet5", 2e-5)]
    [InlineData("lenet5-classic", 2e-6)]
    public void Fifty_losses_are_those_of_an_independent_double_precision_training(string name, double tolerance)
    {
        const int Batch = 24, Classes = 4;
        const float Rate = 0.05f, Momentum = 0.9f, Decay = 1e-3f;
        var input = new Shape(1, 12, 12);
        Network network = Build(name, input, Classes);
        var plan = new ExecutionPlan(network, Batch);
        using var workspace = new Workspace(plan);
        var weights = new float[network.ParameterCount];
        network.Initialize(weights, seed: 5);
        var velocity = new float[weights.Length];
        var contribution = new float[new ContributionLayout(weights.Length, 0).Length];
        var sgd = new Sgd(Momentum, Decay);
        var reference = new DoubleLeNet(name == "lenet5", input.Height, Classes, weights);
        var random = new Random(11);
        float[] losses = new float[50];
        double[] expected = new double[50];

        for (int step = 0; step < 50; step++)
        {
            (double[] Image, int Label)[] samples = [.. Enumerable.Range(0, Batch).Select(_ => Stripe(random, input.Height, Classes))];
            workspace.Input.Clear();
            workspace.Labels.Fill(-1);
            for (int s = 0; s < Batch; s++)
            {
                workspace.Labels[s] = samples[s].Label;
                for (int e = 0; e < input.Elements; e++)
                    workspace.Input[(((s / Stripes.Count * input.Elements) + e) * Stripes.Count) + (s % Stripes.Count)] = (float)samples[s].Image[e];
            }

            workspace.Train(Batch, weights, contribution);
            losses[step] = contribution[weights.Length + ContributionLayout.LossSum] / Batch;
            sgd.Apply(weights, contribution.AsSpan(0, weights.Length), velocity, 1f / Batch, Rate);
            expected[step] = reference.Step(samples, Rate, Momentum, Decay);
        }

        for (int step = 0; step < 50; step++)
            Assert.True(Math.Abs(losses[step] - expected[step]) <= tolerance, $"step {step}: {losses[step]:R}, expected {expected[step]:R}");
        Assert.True(losses[^1] < losses[0] / 2, $"from {losses[0]} to {losses[^1]}: it does not learn");
    }

    /// <summary>A noisy image with one bright row or column; which quarter and direction it is in is its class.</summary>
    private static (double[] Image, int Label) Stripe(Random random, int size, int classes)
    {
        int label = random.Next(classes), place = random.Next(2, (size / 2) - 1) + (label / 2 * (size / 2));
        double[] image = [.. Enumerable.Range(0, size * size).Select(_ => (random.NextDouble() - 0.5) * 2)];
        for (int i = 1; i < size - 1; i++)
            image[label % 2 == 0 ? (place * size) + i : (i * size) + place] += 1.5;
        return ([.. image.Select(v => (double)(float)v)], label);
    }

    private static Network Build(string name, Shape input, int classes) => ModelZoo.Find(name)!.Build(input, classes);
}
