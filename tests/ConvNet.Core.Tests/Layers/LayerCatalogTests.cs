using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Layers;

public sealed class LayerCatalogTests
{
    private static readonly Padding Uneven = new(false, 1, 2, 3, 0);

    /// <summary>Each kind with no setting at its default.</summary>
    private static readonly Dictionary<string, Layer> Unusual = new()
    {
        ["conv2d"] = new Conv2D(6, new Size(3, 5)) { Stride = new Size(2, 1), Padding = Uneven, Dilation = 2, Groups = 2, Bias = false, Initializer = Initializer.LeCunUniform },
        ["transposed-conv2d"] = new TransposedConv2D(6, new Size(3, 5))
        {
            Stride = new Size(2, 3),
            Padding = Uneven,
            OutputPadding = new Size(1, 2),
            Dilation = 2,
            Groups = 2,
            Bias = false,
            Initializer = Initializer.LeCunUniform,
        },
        ["fully-connected"] = new FullyConnected(3) { Bias = false, Initializer = Initializer.LeCunUniform },
        ["max-pool"] = new MaxPool2D(new Size(3, 2)) { Stride = 1, Padding = Padding.Same, CeilMode = true },
        ["average-pool"] = new AveragePool2D(3) { Stride = new Size(2, 1), Padding = 1, CeilMode = true, CountPadding = true },
        ["global-average-pool"] = new GlobalAveragePool2D(),
        ["batch-norm"] = new BatchNorm2D { Epsilon = 1e-3f, Momentum = 0.01f },
        ["local-response-norm"] = new LocalResponseNormalisation(7) { Alpha = 0.3f, Beta = 0.6f, K = 2.5f },
        ["dropout"] = new Dropout(0.123f),
        ["relu"] = new Relu(),
        ["leaky-relu"] = new LeakyRelu(0.2f),
        ["elu"] = new Elu(0.1f),
        ["gelu"] = new Gelu(),
        ["tanh"] = new Tanh(),
        ["sigmoid"] = new Sigmoid(),
        ["softmax"] = new Softmax(),
        ["flatten"] = new Flatten(),
        ["add"] = new Add(),
        ["concat"] = new Concat(),
        ["identity-shortcut"] = new IdentityShortcut(12) { Stride = 2 },
    };

    public static TheoryData<string> Kinds => [.. LayerCatalog.Types];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_layer_in_words_with_every_setting_comes_back_as_it_was(string kind)
    {
        Layer layer = Unusual[kind];

        (string type, IReadOnlyDictionary<string, string> settings) = LayerCatalog.Describe(layer);

        Assert.Equal(kind, type);
        Assert.Equal(layer, LayerCatalog.Create("layer", type, settings));
    }

    [Fact]
    public void Every_layer_there_is_can_be_named_in_a_file()
    {
        IEnumerable<Type> all = typeof(Layer).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Layer)) && !t.IsAbstract);

        Assert.Equal(all.OrderBy(t => t.Name), Unusual.Values.Select(l => l.GetType()).OrderBy(t => t.Name));
        Assert.Equal(Unusual.Keys.Order(), LayerCatalog.Types.Order());
    }

    [Fact]
    public void A_setting_at_its_default_may_be_left_out()
    {
        Assert.Equal(new TransposedConv2D(4, 3), LayerCatalog.Create("up", "transposed-conv2d", new Dictionary<string, string> { ["out-channels"] = "4", ["kernel"] = "3" }));
        Assert.Equal(new LocalResponseNormalisation(), LayerCatalog.Create("norm", "local-response-norm", new Dictionary<string, string>()));
        Assert.Empty(LayerCatalog.Describe(new LeakyRelu()).Settings);
    }

    [Theory]
    [InlineData("slope", "steep", "leaky: slope takes a number; got 'steep'.")]
    [InlineData("alpha", "1", "leaky: leaky-relu has no setting 'alpha'. It has: slope.")]
    public void A_setting_that_cannot_be_is_told_by_layer_and_name(string setting, string value, string expected) => Assert.Equal(
        expected, Assert.Throws<ShapeException>(() => LayerCatalog.Create("leaky", "leaky-relu", new Dictionary<string, string> { [setting] = value })).Message);
}
