using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

/// <summary>Small micro-batches work over channel lanes. What comes out is what comes out over sample lanes, but for the rounding of other sums.</summary>
public class ChannelLanesTests
{
    private static readonly Dictionary<string, Func<NetworkBuilder, NetworkBuilder>> Built = new()
    {
        ["few channels, wide first window"] = b => b.Add("conv1", new Conv2D(5, 5) { Padding = 2, Stride = 2 }).Add("relu", new Relu()).Add("conv2", new Conv2D(3, 3)),
        ["channels beyond one vector"] = b => b.Add("conv1", new Conv2D(24, 3) { Padding = 1 }).Add("relu", new Relu()).Add("conv2", new Conv2D(40, 3) { Padding = 1 }).Add("tanh", new Tanh()),
        ["many channels"] = b => b.Add("conv1", new Conv2D(70, 1)).Add("conv2", new Conv2D(20, 3) { Padding = 1 }).Add("conv3", new Conv2D(50, 2) { Stride = 2 }),
        ["strides and dilation"] = b => b.Add("conv1", new Conv2D(17, 3) { Padding = Padding.Same, Stride = new Size(1, 2) }).Add("sigmoid", new Sigmoid())
            .Add("conv2", new Conv2D(16, 3) { Padding = 2, Dilation = 2, Bias = false }).Add("conv3", new Conv2D(33, 3) { Stride = 3, Padding = 1 }),
        ["window larger than the image"] = b => b.Add("conv1", new Conv2D(16, 3) { Padding = 1, Stride = 3 }).Add("conv2", new Conv2D(18, 7) { Padding = 3 }),
        ["normalised with a shortcut"] = b => b.Add("conv1", new Conv2D(20, 3) { Padding = 1, Bias = false }).Add("norm1", new BatchNorm2D()).Add("relu1", new Relu())
            .Add("conv2", new Conv2D(36, 3) { Padding = 1, Stride = 2 }).Add("norm2", new BatchNorm2D()).Add("shortcut", new IdentityShortcut(36) { Stride = 2 }, "relu1")
            .Add("sum", new Add(), "norm2", "shortcut").Add("relu2", new Relu()),
        ["branches"] = b => b.Add("conv1", new Conv2D(32, 3)).Add("leaky", new LeakyRelu(0.1f)).Add("response", new LocalResponseNormalisation { Alpha = 0.5f, K = 2 })
            .Add("a", new Conv2D(16, 1), "response").Add("elu", new Elu())
            .Add("b1", new Conv2D(24, 1), "response").Add("gelu", new Gelu()).Add("b2", new Conv2D(16, 5) { Padding = 2 })
            .Add("c", new MaxPool2D(3) { Stride = 1, Padding = 1 }, "response").Add("c1", new Conv2D(7, 1))
            .Add("join", new Concat(), "elu", "b2", "c1").Add("pool", new MaxPool2D(3) { Stride = 2, CeilMode = true }).Add("even", new LocalResponseNormalisation(4) { Alpha = 0.3f, Beta = 0.6f }),
        ["pooled"] = b => b.Add("conv1", new Conv2D(18, 3)).Add("mean", new AveragePool2D(2) { Stride = 1 }).Add("max", new MaxPool2D(2)),
    };

    public static TheoryData<string> Names => [.. Built.Keys];

    /// <summary>Those whose samples do not see each other, as the double-precision reference has it.</summary>
    public static TheoryData<string> NamesOfSingles => [.. Built.Keys.Where(n => !n.Contains("normalised", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(NamesOfSingles))]
    public void Gradients_are_those_of_the_loss(string name)
    {
        foreach (int samples in new[] { 1, 3 })
        {
            var trial = new Trial(Of(name), samples);

            trial.Check(trial.Train(new ExecutionPlan(trial.Network, microBatch: 5)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void They_are_in_use_and_both_layouts_come_to_the_same(string name)
    {
        var trial = new Trial(Of(name), samples: 5);
        ExecutionPlan channels = Plan(trial.Network, 5, true), samples = Plan(trial.Network, 5, false);

        float[] a = trial.Train(channels), b = trial.Train(samples);

        Assert.Contains(channels.Steps, s => s.Output.Layout == Layout.Channels);
        Assert.All(samples.Steps, s => Assert.Equal(Layout.Samples, s.Output.Layout));
        double scale = b.Max(Math.Abs);
        for (int i = 0; i < a.Length; i++)
            Assert.Equal(b[i], a[i], 2e-5 * scale);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Sharing_memory_changes_no_bit(string name)
    {
        var trial = new Trial(Of(name), samples: 5);

        Assert.Equal(trial.Train(new ExecutionPlan(trial.Network, 5, sharesMemory: false, overChannels: true)), trial.Train(Plan(trial.Network, 5, true)));
    }

    [Fact]
    public void A_micro_batch_may_be_smaller_than_planned()
    {
        var trial = new Trial(Of("normalised with a shortcut"), samples: 3);

        Assert.Equal(trial.Train(Plan(trial.Network, 3, true)), trial.Train(Plan(trial.Network, 20, true)));
    }

    [Theory]
    [InlineData("alexnet")]
    [InlineData("zfnet")]
    [InlineData("vgg11")]
    [InlineData("googlenet")]
    [InlineData("resnet20")]
    public void Every_family_comes_to_the_same(string model)
    {
        Network network = ModelZoo.Find(model)!.Build(new Shape(3, 32, 32), 10);
        var trial = new Trial(network, samples: 4);

        float[] a = trial.Train(Plan(network, 4, true)), b = trial.Train(Plan(network, 4, false));

        Assert.NotEqual(b, a);
        double scale = b.AsSpan(0, network.ParameterCount).ToArray().Max(Math.Abs);
        for (int i = 0; i < network.ParameterCount; i++)
            Assert.Equal(b[i], a[i], 3e-4 * scale);
    }

    [Theory]
    [InlineData("lenet5", 32, false)]       // a first layer of 6 channels would waste ten lanes of sixteen
    [InlineData("lenet5", 1, true)]         // a sample alone would waste fifteen
    [InlineData("resnet20", 64, true)]
    [InlineData("vgg16", 2, true)]
    public void The_network_and_its_micro_batch_decide(string model, int microBatch, bool channels)
    {
        Model zoo = ModelZoo.Find(model)!;

        Assert.Equal(channels, new ExecutionPlan(zoo.Build(zoo.Input, zoo.Classes), microBatch).Steps.Any(s => s.Output.Layout == Layout.Channels));
    }

    [Fact]
    public void What_they_cannot_do_goes_on_over_samples()
    {
        foreach (Layer layer in new Layer[] { new Conv2D(4, 1) { Groups = 2 }, new TransposedConv2D(3, 2), new Softmax(), new FullyConnected(4) })
        {
            NetworkBuilder network = new NetworkBuilder("other", new Shape(2, 6, 6)).Add("conv", new Conv2D(4, 3)).Add("layer", layer);
            if (layer is Softmax)
                network.Add("both", new Add(), "layer", "conv");
            var trial = new Trial(network.Add("flatten", new Flatten()).Add("fc", new FullyConnected(3)).Build(), samples: 3);

            trial.Check(trial.Train(Plan(trial.Network, 3, true)));
        }
    }

    private static ExecutionPlan Plan(Network network, int microBatch, bool channels) => new(network, microBatch, sharesMemory: true, overChannels: channels);

    private static Network Of(string name) =>
        Built[name](new NetworkBuilder(name, new Shape(3, 9, 8))).Add("flatten", new Flatten()).Add("fc", new FullyConnected(5)).Build();
}
