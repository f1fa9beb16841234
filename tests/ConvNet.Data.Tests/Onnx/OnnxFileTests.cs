using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Onnx;
using ConvNet.Data.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace ConvNet.Data.Tests.Onnx;

/// <summary>ONNX Runtime and the engine see the same in the same samples.</summary>
public sealed class OnnxFileTests
{
    /// <summary>Those that have the same layers, only more of them, take a minute: they are compared where CONVNET_ALL_MODELS is set.</summary>
    private static readonly string[] Deeper = ["vgg13", "vgg16", "vgg19", "vgg13-bn", "vgg16-bn", "vgg19-bn", "resnet34", "resnet101", "resnet152", "resnet44", "resnet56", "resnet110"];

    public static TheoryData<string> Models => [.. ModelZoo.All.Select(m => m.Name).Where(m => !Deeper.Contains(m) || Environment.GetEnvironmentVariable("CONVNET_ALL_MODELS") != null)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_model_of_the_zoo_gives_the_same_probabilities_in_onnx_runtime(string name)
    {
        Model model = ModelZoo.Find(name)!;
        Compare(model.Build(new Shape(model.Input.Channels, 32, 32), 10));
    }

    public static TheoryData<string> Layers => [.. Small.Keys];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Every_layer_gives_the_same_probabilities_in_onnx_runtime(string name) =>
        Compare(Small[name](new NetworkBuilder("test", new Shape(3, 11, 13))).Build());

    [Fact]
    public void The_file_says_how_pixels_become_inputs_and_what_the_classes_are_called()
    {
        using var folder = new TemporaryFolder();
        Network network = LeNet5.Modern(new Shape(1, 28, 28), 2);
        var trained = new TrainedModel(network, State(network), ["cat", "dog"], new Normalisation([0.25f], [0.5f]));

        OnnxFile.Write(folder.File("model.onnx"), trained);

        using var session = new InferenceSession(folder.File("model.onnx"));
        Dictionary<string, string> metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(("0.25", "0.5", "cat\ndog", trained.WeightsSha256), (metadata["mean"], metadata["deviation"], metadata["classes"], metadata["weightsSha256"]));
        Assert.Equal([-1, 1, 28, 28], session.InputMetadata["input"].Dimensions);
        Assert.Equal([-1, 2], session.OutputMetadata["scores"].Dimensions);
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_layer_that_onnx_does_not_know_is_named()
    {
        Network network = new NetworkBuilder("odd", new Shape(4, 3, 3)).Add("norm", new LocalResponseNormalisation(4)).Add("fc", new FullyConnected(2)).Build();

        var error = Assert.Throws<DataException>(() => OnnxFile.Bytes(new TrainedModel(network, State(network), ["a", "b"], new Normalisation([0], [1]))));

        Assert.StartsWith("odd: layer norm cannot be said in ONNX", error.Message, StringComparison.Ordinal);
    }

    private static readonly Dictionary<string, Func<NetworkBuilder, NetworkBuilder>> Small = new()
    {
        ["same padding, stride, dilation, groups"] = b => b.Add("a", new Conv2D(6, 4) { Padding = Padding.Same, Stride = 2 })
            .Add("b", new Conv2D(4, 3) { Groups = 2, Dilation = 2, Padding = new Padding(false, 1, 2, 0, 3), Bias = false }).Add("fc", new FullyConnected(3)),
        ["pooling rounded up"] = b => b.Add("a", new MaxPool2D(3) { Stride = 2, CeilMode = true }).Add("b", new AveragePool2D(2) { CeilMode = true }).Add("fc", new FullyConnected(3)),
        ["pooling with padding"] = b => b.Add("a", new AveragePool2D(3) { Stride = 2, Padding = 1, CountPadding = true })
            .Add("b", new AveragePool2D(3) { Stride = 2, Padding = 1 }).Add("c", new MaxPool2D(2) { Padding = Padding.Same }).Add("fc", new FullyConnected(3)),
        ["pooling rounded up, with padding that counts"] = b => b.Add("a", new AveragePool2D(3) { Stride = 3, Padding = 1, CountPadding = true, CeilMode = true })
            .Add("b", new AveragePool2D(3) { Stride = 3, Padding = new Padding(false, 0, 2, 1, 0), CountPadding = true, CeilMode = true }).Add("fc", new FullyConnected(3)),
        ["a window wider than its image, rounded up"] = b => b.Add("a", new MaxPool2D(9) { Stride = 8 }).Add("b", new AveragePool2D(2) { CeilMode = true }).Add("fc", new FullyConnected(3)),
        ["transposed convolutions"] = b => b.Add("a", new Conv2D(4, 3) { Stride = 3 }).Add("b", new TransposedConv2D(6, 3) { Stride = 2, Padding = 1, OutputPadding = new Size(1, 0), Groups = 2 })
            .Add("c", new TransposedConv2D(2, new Size(2, 3)) { Dilation = 2, Padding = new Padding(false, 0, 1, 2, 0), Bias = false })
            .Add("d", new TransposedConv2D(2, new Size(2, 4)) { Stride = new Size(3, 2), Padding = Padding.Same }).Add("fc", new FullyConnected(3)),
        ["softmax of pixels and of a vector, a sum of three"] = b => b.Add("a", new Softmax()).Add("b", new Conv2D(3, 1)).Add("sum", new Add(), "a", "b", "input").Add("fc", new FullyConnected(5))
            .Add("s", new Softmax()).Add("fc2", new FullyConnected(3)),
        ["activations"] = b => b.Add("a", new Conv2D(4, 3)).Add("gelu", new Gelu()).Add("elu", new Elu(0.7f)).Add("leaky", new LeakyRelu(0.2f)).Add("tanh", new Tanh())
            .Add("sigmoid", new Sigmoid()).Add("fc", new FullyConnected(3)),
        ["normalisation of images and vectors"] = b => b.Add("a", new BatchNorm2D { Epsilon = 0.1f }).Add("l", new LocalResponseNormalisation { Alpha = 0.5f, K = 2 })
            .Add("fc", new FullyConnected(5)).Add("n", new BatchNorm2D()).Add("fc2", new FullyConnected(3)),
        ["vectors and images together"] = b => b.Add("mean", new GlobalAveragePool2D()).Add("fc", new FullyConnected(3), "input").Add("sum", new Add(), "mean", "fc")
            .Add("conv", new Conv2D(2, 1), "fc").Add("both", new Concat(), "sum", "conv", "fc").Add("drop", new Dropout(0.5f)).Add("fc2", new FullyConnected(3)),
        ["identity shortcut"] = b => b.Add("a", new IdentityShortcut(5) { Stride = 2 }).Add("b", new IdentityShortcut(6)).Add("flat", new Flatten()).Add("fc", new FullyConnected(3)),
        ["scores out of an image"] = b => b.Add("a", new Conv2D(3, 1)).Add("mean", new GlobalAveragePool2D()),
        ["an auxiliary output"] = b => b.Add("a", new Conv2D(3, 3)).Add("aux", new FullyConnected(3)).Add("fc", new FullyConnected(3), "a").Auxiliary("aux", 0.3f),
    };

    private static void Compare(Network network)
    {
        const int Samples = 2;
        float[] state = State(network);
        var random = new Random(5);
        float[] input = [.. Enumerable.Range(0, Samples * network.Input.Elements).Select(_ => (float)((2 * random.NextDouble()) - 1))];
        // Scores of a few units, so that no probability is too small to be compared.
        float most = Scores(network, state, input, Samples).Max(Math.Abs);
        Node last = network.Nodes[^1];
        for (int i = last.FirstParameter; most > 3 && i < last.FirstParameter + last.ParameterCount; i++)
            state[i] *= 3 / most;

        float[] scores = Scores(network, state, input, Samples), probabilities = Probabilities(network, state, input, Samples);

        Assert.InRange(scores.Max(Math.Abs), 0.01f, 10);
        for (int sample = 0; sample < Samples; sample++)
        {
            double[] own = [.. scores.Skip(sample * network.Classes).Take(network.Classes).Select(s => (double)s)];
            double sum = own.Sum(Math.Exp);
            for (int c = 0; c < network.Classes; c++)
                Assert.Equal(own[c] - Math.Log(sum), Math.Log(probabilities[(sample * network.Classes) + c]), 1e-4);
        }
    }

    /// <summary>What ONNX Runtime makes of <c>[N, C, H, W]</c>: <c>[N, classes]</c>.</summary>
    private static float[] Scores(Network network, float[] state, float[] input, int samples)
    {
        byte[] file = OnnxFile.Bytes(new TrainedModel(network, state, [.. Enumerable.Range(0, network.Classes).Select(c => $"{c}")],
            new Normalisation(new float[network.Input.Channels], [.. Enumerable.Repeat(1f, network.Input.Channels)])));
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(file, options);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("input", new DenseTensor<float>(input, [samples, network.Input.Channels, network.Input.Height, network.Input.Width]))]);
        return [.. results.Single().AsEnumerable<float>()];
    }

    /// <summary>What the engine makes of it, through softmax.</summary>
    private static float[] Probabilities(Network network, float[] state, float[] input, int samples)
    {
        var probabilities = new float[samples * network.Classes];
        using var workspace = new Workspace(new ExecutionPlan(network, samples));
        for (int i = 0; i < input.Length; i++)
            workspace.Input[(i % network.Input.Elements * 16) + (i / network.Input.Elements)] = input[i];
        workspace.Predict(samples, state, probabilities);
        return probabilities;
    }

    /// <summary>Weights that keep numbers near one from layer to layer, quickly: what the network knows does not matter here.</summary>
    private static float[] State(Network network)
    {
        var random = new Random(3);
        var state = new float[network.StateLength];
        foreach (Parameter p in network.Parameters)
        {
            float scale = p.Shape.Count > 1 ? 2 * MathF.Sqrt(3f / p.Spec.FanIn) : 1, offset = p.Name.EndsWith("weight", StringComparison.Ordinal) && p.Shape.Count == 1 ? 1 : 0;
            for (int i = 0; i < p.Length; i++)
                state[p.Offset + i] = offset + (scale * (random.NextSingle() - 0.5f) * (p.Shape.Count > 1 ? 1.4f : 0.4f));
        }

        foreach (Statistic s in network.Statistics)
        {
            for (int i = 0; i < s.Length; i++)
                state[network.ParameterCount + s.Offset + i] = s.Name.EndsWith("var", StringComparison.Ordinal) ? 0.5f + random.NextSingle() : 0.3f * (random.NextSingle() - 0.5f);
        }

        return state;
    }
}
