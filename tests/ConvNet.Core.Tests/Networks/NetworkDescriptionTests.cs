using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Networks;

/// <summary>Networks in words, as files and strangers send them.</summary>
public sealed class NetworkDescriptionTests
{
    private static readonly Shape Image = new(3, 32, 32);

    [Fact]
    public void A_layer_without_inputs_reads_the_one_before_it()
    {
        Network network = Describe(Layer("a", "conv2d", ("out-channels", "4"), ("kernel", "3")), Layer("b", "relu"), Layer("c", "fully-connected", ("outputs", "7"))).Build();

        Assert.Equal([Network.InputNode, 0, 1], network.Nodes.Select(n => n.Inputs[0]));
        Assert.Equal(7, network.Classes);
    }

    [Theory]
    [InlineData("conv2", "unknown kind of layer 'conv2'. Did you mean 'conv2d'? There are: conv2d, ")]
    [InlineData("System.Diagnostics.Process", "unknown kind of layer 'System.Diagnostics.Process'. There are: conv2d, ")]
    public void An_unknown_kind_is_refused_with_the_nearest(string kind, string expected) =>
        Assert.StartsWith($"a: {expected}", Refusal(Layer("a", kind)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("kernel_size", "3", "conv2d has no setting 'kernel_size'. It has: out-channels, kernel, stride, padding, dilation, groups, bias, initializer.")]
    [InlineData("Stride", "3", "conv2d has no setting 'Stride'. Did you mean 'stride'? It has: out-channels, kernel, stride, padding, dilation, groups, bias, initializer.")]
    [InlineData("stride", "-1", "stride takes a whole number up to 4096; got '-1'.")]
    [InlineData("stride", "4097", "stride takes a whole number up to 4096; got '4097'.")]
    [InlineData("kernel", "3x3x3", "kernel takes one number, or height x width such as 3x5; got '3x3x3'.")]
    [InlineData("out-channels", "1048577", "out-channels takes a whole number up to 1048576; got '1048577'.")]
    [InlineData("padding", "5000", "padding takes same, valid, one number of pixels, or top,left,bottom,right; got '5000'.")]
    [InlineData("stride", "0", "a stride takes at least 1 pixel each way, got 0.")]
    public void A_wrong_setting_is_refused(string setting, string value, string expected)
    {
        LayerDescription conv = Layer("a", "conv2d", ("out-channels", "8"), ("kernel", "3"));

        Assert.Equal($"a: {expected}", Refusal(conv with { Settings = new Dictionary<string, string>(conv.Settings) { [setting] = value } }).Message);
    }

    [Fact]
    public void A_setting_that_is_missing_is_named() =>
        Assert.Equal("a: the setting 'kernel' is missing.", Refusal(Layer("a", "conv2d", ("out-channels", "8"))).Message);

    [Fact]
    public void The_settings_of_every_kind_are_known()
    {
        Assert.Equal(["out-channels", "kernel", "stride", "padding", "dilation", "groups", "bias", "initializer"], LayerCatalog.SettingsOf("conv2d"));
        Assert.Equal(["kernel", "stride", "padding", "ceil-mode"], LayerCatalog.SettingsOf("max-pool"));
        Assert.Empty(LayerCatalog.SettingsOf("relu")!);
        Assert.Null(LayerCatalog.SettingsOf("nothing"));
        Assert.All(LayerCatalog.Types, type => Assert.NotNull(LayerCatalog.SettingsOf(type)));
    }

    [Fact]
    public void A_few_lines_cannot_ask_for_the_memory_of_a_machine()
    {
        Assert.Equal(
            "fc: with its 314572800 parameters the network has more than 268435456, which are the most that are allowed.",
            Refusal(Layer("fc", "fully-connected", ("outputs", "102400"), ("bias", "false"))).Message);
        Assert.Equal(
            "wide: its output of 100000x32x32 has 102400000 values a sample; at most 33554432 are allowed.",
            Refusal(Layer("wide", "conv2d", ("out-channels", "100000"), ("kernel", "1"))).Message);
        Assert.StartsWith(
            "wide: is too large: its outputs or the network's parameters for an input of 3x32x32 are more than 2147483647.",
            Refusal(Layer("wide", "conv2d", ("out-channels", "1000000"), ("kernel", "1"), ("padding", "4096"))).Message, StringComparison.Ordinal);
        Assert.Equal(
            "own: a network has at most 2048 layers, got 2049.",
            Refusal([.. Enumerable.Range(0, 2049).Select(i => Layer($"relu{i}", "relu"))]).Message);
    }

    private static NetworkDescription Describe(params LayerDescription[] layers) => new("own", Image, layers);

    private static ShapeException Refusal(params LayerDescription[] layers) => Assert.Throws<ShapeException>(() => Describe(layers).Build());

    private static LayerDescription Layer(string name, string kind, params (string Name, string Value)[] settings) =>
        new(name, kind, [], settings.ToDictionary(s => s.Name, s => s.Value));
}
