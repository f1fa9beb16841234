using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Networks;

public sealed class NetworkBuilderTests
{
    public static TheoryData<string, Action<NetworkBuilder>> Wrong() => new()
    {
        { "'a b' cannot name a layer", b => b.Add("a b", new Relu()) },
        { "conv: there are two layers of this name", b => b.Add("conv", new Relu()).Add("conv", new Relu()) },
        { "r: its input 'x' is not a layer before it. Before it are: input, a.", b => b.Add("a", new Relu()).Add("r", new Relu(), "x") },
        { "s: Add takes 2 input(s), got 1", b => b.Add("s", new Add()) },
        { "s: adds two inputs of one shape, got 3x8x8 and 5x8x8", b => b.Add("c", new Conv2D(5, 1)).Add("s", new Add(), "input", "c") },
        { "c: a 9×9 window does not fit an input of 3x8x8 with padding valid", b => b.Add("c", new Conv2D(4, 9)) },
        { "c: a 3×3 window with dilation 4 does not fit", b => b.Add("c", new Conv2D(4, 3) { Dilation = 4 }) },
        { "c: 2 groups do not divide 3 input and 4 output channels", b => b.Add("c", new Conv2D(4, 3) { Groups = 2 }) },
        { "c: takes at least 1 output channel", b => b.Add("c", new Conv2D(0, 3)) },
        { "c: a stride takes at least 1 pixel each way, got 0", b => b.Add("c", new Conv2D(4, 3) { Stride = 0 }) },
        { "p: padding 2 is not smaller than the 2×2 window", b => b.Add("p", new MaxPool2D(2) { Padding = 2 }) },
        { "f: takes at least 1 output, got 0", b => b.Add("f", new FullyConnected(0)) },
        { "test: a network takes at least one layer", b => b.Build() },
        { "a: no layer reads its output", b => b.Add("a", new Relu()).Add("f", new FullyConnected(2), "input").Build() },
        { "r: the last layer gives one score for each class, got an image of 3x8x8", b => b.Add("r", new Relu()).Build() },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_network_that_cannot_be_is_told_by_layer_and_reason(string expected, Action<NetworkBuilder> build)
    {
        var error = Assert.Throws<ShapeException>(() => build(new NetworkBuilder("test", new Shape(3, 8, 8))));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_without_inputs_reads_the_one_before_it()
    {
        Network network = new NetworkBuilder("test", new Shape(3, 8, 8)).Add("a", new Conv2D(4, 3)).Add("b", new Relu()).Add("f", new FullyConnected(2)).Build();

        Assert.Equal([-1, 0, 1], network.Nodes.Select(n => n.Inputs.Single()));
        Assert.Equal(2, network.Classes);
    }
}
