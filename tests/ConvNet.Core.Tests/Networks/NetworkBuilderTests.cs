using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

public class NetworkBuilderTests
{
    private static NetworkBuilder Started => new NetworkBuilder("small", new Shape(2, 6, 6)).Add("conv1", new Conv2D(4, 3));

    [Fact]
    public void Two_layers_of_one_name_are_refused() => Refused(
        "conv1: there are two layers of this name; every layer takes its own.",
        () => Started.Add("conv1", new Relu()));

    [Theory]
    [InlineData("")]
    [InlineData("input")]
    [InlineData("conv 2")]
    [InlineData("größe")]
    [InlineData("a/b")]
    public void A_name_that_files_could_not_hold_is_refused(string name) => Refused(
        $"'{name}' cannot name a layer: letters, digits, '_', '-' and '.' can, and 'input' is the sample itself.",
        () => Started.Add(name, new Relu()));

    [Fact]
    public void An_input_that_is_not_before_a_layer_is_refused_and_the_others_are_named() => Refused(
        "relu1: its input 'conv9' is not a layer before it. Before it are: input, conv1.",
        () => Started.Add("relu1", new Relu(), "conv9"));

    [Fact]
    public void A_layer_cannot_read_itself() => Refused(
        "relu1: its input 'relu1' is not a layer before it. Before it are: input, conv1.",
        () => Started.Add("relu1", new Relu(), "relu1"));

    [Fact]
    public void Too_few_inputs_are_refused() => Refused(
        "join: Add takes at least 2 input(s), got 1.",
        () => Started.Add("join", new Add()));

    [Fact]
    public void Too_many_inputs_are_refused() => Refused(
        "relu1: Relu takes 1 input(s), got 2.",
        () => Started.Add("relu1", new Relu(), "conv1", "input"));

    [Fact]
    public void A_layer_that_leads_nowhere_is_refused() => Refused(
        "relu1: no layer reads its output; name it among a later layer's inputs or remove it.",
        () => Started.Add("relu1", new Relu()).Add("fc", new FullyConnected(3), "conv1").Build());

    [Fact]
    public void Scores_that_are_an_image_are_refused() => Refused(
        "conv1: the last layer gives one score for each class, got an image of 4x4x4; end with a fully connected layer.",
        () => Started.Build());

    [Fact]
    public void A_network_of_no_layers_is_refused() => Refused(
        "small: a network takes at least one layer.",
        () => new NetworkBuilder("small", new Shape(1, 2, 2)).Build());

    [Fact]
    public void A_window_that_does_not_fit_is_refused_by_the_layer_that_has_it() => Refused(
        "conv2: a 5×5 window does not fit an input of 4x4x4 with padding valid.",
        () => Started.Add("conv2", new Conv2D(8, 5)));

    [Fact]
    public void Groups_that_do_not_divide_are_refused() => Refused(
        "conv2: 3 groups do not divide 4 input and 6 output channels.",
        () => Started.Add("conv2", new Conv2D(6, 1) { Groups = 3 }));

    [Fact]
    public void Summands_of_two_shapes_are_refused() => Refused(
        "join: adds inputs of one shape, got 4x4x4 and 2x6x6.",
        () => Started.Add("join", new Add(), "conv1", "input"));

    [Theory]
    [InlineData(0, 6, 6)]
    [InlineData(1, 0, 6)]
    [InlineData(1, 6, -1)]
    public void A_sample_of_nothing_is_refused(int channels, int height, int width) => Refused(
        $"small: a sample takes at least 1 channel, row and column, got {channels}x{height}x{width}.",
        () => new NetworkBuilder("small", new Shape(channels, height, width)));

    [Fact]
    public void A_refused_layer_is_not_added()
    {
        NetworkBuilder builder = Started;
        Assert.Throws<ShapeException>(() => builder.Add("conv2", new Conv2D(8, 5)));

        Network network = builder.Add("conv2", new Conv2D(3, 4)).Build();

        Assert.Equal(["conv1", "conv2"], network.Nodes.Select(n => n.Name));
    }

    [Fact]
    public void Parameters_lie_one_after_the_other_in_the_order_of_the_layers()
    {
        Network network = Started
            .Add("relu1", new Relu())
            .Add("conv2", new Conv2D(4, 1) { Bias = false, Groups = 2 })
            .Add("join", new Add(), "relu1", "conv2")
            .Add("fc", new FullyConnected(3))
            .Build();

        Assert.Equal(
            ["conv1.weight 4,2,3,3 @0", "conv1.bias 4 @72", "conv2.weight 4,2,1,1 @76", "fc.weight 3,64 @84", "fc.bias 3 @276"],
            network.Parameters.Select(p => $"{p.Name} {string.Join(",", p.Shape)} @{p.Offset}"));
        Assert.Equal(279, network.ParameterCount);
        Assert.Equal(3, network.Classes);
        Assert.Equal((4 * 16 * 18) + (4 * 16 * 2) + (3 * 64), network.MultiplyAdds);
    }

    [Fact]
    public void Later_layers_of_the_builder_do_not_change_what_was_built()
    {
        NetworkBuilder builder = new NetworkBuilder("small", new Shape(1, 2, 2)).Add("fc1", new FullyConnected(3));
        Network before = builder.Build();

        builder.Add("fc2", new FullyConnected(2));

        Assert.Single(before.Nodes);
        Assert.Equal(3, before.Classes);
    }

    private static void Refused(string message, Action action) => Assert.Equal(message, Assert.Throws<ShapeException>(action).Message);
}
