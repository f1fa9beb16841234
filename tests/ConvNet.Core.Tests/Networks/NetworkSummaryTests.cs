using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Networks;

public sealed class NetworkSummaryTests
{
    [Fact]
    public void Each_layer_is_listed_with_what_it_costs()
    {
        Network network = new NetworkBuilder("small", new Shape(1, 4, 4))
            .Add("conv1", new Conv2D(2, 3) { Padding = 1 })
            .Add("relu1", new Relu())
            .Add("side", new Conv2D(2, 1), "input")
            .Add("sum", new Add(), "relu1", "side")
            .Add("fc", new FullyConnected(3))
            .Build();

        var summary = new NetworkSummary(network, 20);

        // 20 samples take two blocks of 16; an image of 2 × 4 × 4 then 32 · 32 floats of 4 bytes.
        Assert.Equal(
            [
                "conv1 conv2d (input) 2x4x4 20 288 4096",
                "relu1 relu (conv1) 2x4x4 0 0 4096",
                "side conv2d (input) branches 2x4x4 4 32 4096",
                "sum add (relu1, side) branches 2x4x4 0 0 4096",
                "fc fully-connected (sum) 3 99 96 384",
            ],
            summary.Layers.Select(l => $"{l.Name} {l.Kind} ({string.Join(", ", l.Inputs)}) {(l.Branches ? "branches " : "")}{l.Output} {l.Parameters} {l.MultiplyAdds} {l.ActivationBytes}"));
        Assert.Equal(4 * 123, summary.WeightBytes);
        Assert.Equal(2048 + (2 * ((4 * 4096) + 384)), summary.UnsharedBytes);
        Assert.InRange(summary.ArenaBytes, 4096, summary.UnsharedBytes);
    }

    [Fact]
    public void Layers_that_only_training_has_are_marked()
    {
        Model model = ModelZoo.Find("googlenet")!;

        var summary = new NetworkSummary(model.Build(model.Input, model.Classes), 1);

        Assert.All(summary.Layers, l => Assert.Equal(l.Name.StartsWith("aux", StringComparison.Ordinal), l.TrainingOnly));
        Assert.Equal(model.Build(model.Input, model.Classes).MultiplyAdds, summary.Layers.Where(l => !l.TrainingOnly).Sum(l => l.MultiplyAdds));
    }

    [Fact]
    public void A_micro_batch_that_no_lane_can_hold_is_refused_in_words()
    {
        Model model = ModelZoo.Find("vgg16")!;
        var summary = new NetworkSummary(model.Build(model.Input, model.Classes), 4096);

        ShapeException refusal = Assert.Throws<ShapeException>(() => summary.ArenaBytes);

        Assert.Equal("vgg16: the activations of a micro-batch of 4096 samples take more than 8 GiB, the most that a lane can have. Choose a smaller micro-batch, or smaller images.", refusal.Message);
        Assert.InRange(summary.UnsharedBytes, 8L << 30, long.MaxValue);
    }
}
