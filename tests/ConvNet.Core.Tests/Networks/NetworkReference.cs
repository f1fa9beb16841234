using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;
using ConvNet.Core.Tests.Layers;
using ConvNet.Core.Training;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

/// <summary>A micro-batch of made-up samples for a network, what the engine makes of it, and what double precision says.</summary>
internal sealed class Trial
{
    public Trial(Network network, int samples, int seed = 7)
    {
        Network = network;
        var random = new Random(seed);
        Samples = [.. Enumerable.Range(0, samples).Select(_ => LayerCheck.Draw(random, network.Input.Elements))];
        Labels = [.. Enumerable.Range(0, samples).Select(_ => random.Next(network.Classes))];
        Weights = new float[network.ParameterCount];
        network.Initialize(Weights, (ulong)seed);
        // Biases start at zero, where a mistake with them would not show.
        foreach (Parameter bias in network.Parameters.Where(p => p.Name.EndsWith("bias", StringComparison.Ordinal)))
        {
            for (int i = 0; i < bias.Length; i++)
                Weights[bias.Offset + i] = (random.NextSingle() - 0.5f) / 2;
        }
    }

    public Network Network { get; }

    public double[][] Samples { get; }

    public int[] Labels { get; }

    public float[] Weights { get; }

    public ContributionLayout Layout => Network.Layout;

    /// <summary>The engine's contribution of one training pass, in an arena that was full of NaN.</summary>
    public float[] Train(ExecutionPlan plan)
    {
        using var workspace = new Workspace(plan);
        return Train(workspace, plan);
    }

    /// <inheritdoc cref="Train(ExecutionPlan)"/>
    public float[] Train(Workspace workspace, ExecutionPlan plan)
    {
        var contribution = new float[Layout.Length];
        contribution.AsSpan().Fill(float.NaN);
        Poison(workspace, plan);
        Fill(workspace);
        workspace.Train(Samples.Length, Weights, contribution);
        return contribution;
    }

    /// <summary>Puts the samples and labels into their lanes.</summary>
    public void Fill(Workspace workspace)
    {
        int blocks = (Samples.Length + Stripes.Count - 1) / Stripes.Count;
        LayerCheck.ToLanes(Samples, workspace.Input[..(Network.Input.Elements * blocks * Stripes.Count)], empty: 0);
        workspace.Labels.Fill(-1);
        Labels.CopyTo(workspace.Labels);
    }

    /// <summary>The sum of the losses in double precision.</summary>
    public double Loss(double[] weights)
    {
        double sum = 0;
        for (int s = 0; s < Samples.Length; s++)
            sum += LayerReference.CrossEntropy(Logits(Samples[s], weights), Labels[s]);
        return sum;
    }

    /// <summary>The scores of one sample in double precision.</summary>
    public double[] Logits(double[] sample, double[] weights)
    {
        var outputs = new List<double[]>();
        foreach (Node node in Network.Nodes)
        {
            double[][] inputs = [.. node.Inputs.Select(i => i == Network.InputNode ? sample : outputs[i])];
            outputs.Add(LayerReference.Forward(node.Layer, node.InputShapes, inputs, weights.AsSpan(node.FirstParameter, node.ParameterCount)));
        }

        return outputs[^1];
    }

    /// <summary>Holds loss and gradients of the engine against double precision.</summary>
    public void Check(float[] contribution, double tolerance = 2e-5, int mostTried = 120)
    {
        double[] weights = [.. Weights.Select(w => (double)w)];
        double[] slopes = LayerCheck.Slopes(new Random(3), weights, mostTried, () => Loss(weights));
        double scale = slopes.Where(double.IsFinite).Select(Math.Abs).Max();
        foreach (Parameter p in Network.Parameters)
            LayerCheck.Near($"gradient by {p.Name}", slopes.AsSpan(p.Offset, p.Length), contribution.AsSpan(p.Offset, p.Length), tolerance, leastScale: scale / 30);
        LayerCheck.Near("loss", [Loss(weights)], [contribution[Layout.MetricsOffset + ContributionLayout.LossSum]], 1e-6);
        Assert.Equal(Samples.Length, contribution[Layout.MetricsOffset + ContributionLayout.Samples]);
    }

    /// <summary>Fills the whole arena with NaN, so that a number that nobody wrote cannot go unseen.</summary>
    private static unsafe void Poison(Workspace workspace, ExecutionPlan plan)
    {
        float* input = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(workspace.Input));
        new Span<float>(input - plan.InputOffset, plan.ArenaLength).Fill(float.NaN);
    }
}

/// <summary>Small networks, each with a shape of graph in which planning can go wrong.</summary>
internal static class Graphs
{
    private static readonly Dictionary<string, Func<NetworkBuilder, NetworkBuilder>> Built = new()
    {
        ["a chain"] = b => b
            .Add("conv", new Conv2D(3, 3)).Add("relu", new Relu()).Add("pool", new MaxPool2D(2)).Add("flatten", new Flatten()).Add("fc", new FullyConnected(3)),
        ["one layer"] = b => b.Add("fc", new FullyConnected(4)),
        ["no flatten before fully connected"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("tanh", new Tanh()).Add("fc", new FullyConnected(3)),
        ["a shortcut around a convolution"] = b => b
            .Add("conv1", new Conv2D(2, 3) { Padding = 1 }).Add("relu1", new Relu())
            .Add("conv2", new Conv2D(2, 3) { Padding = 1 }).Add("add", new Add(), "conv2", "relu1").Add("relu2", new Relu())
            .Add("pool", new AveragePool2D(2)).Add("fc", new FullyConnected(3)),
        ["a shortcut named first"] = b => b
            .Add("conv1", new Conv2D(2, 3) { Padding = 1 })
            .Add("conv2", new Conv2D(2, 3) { Padding = 1 }).Add("add", new Add(), "conv1", "conv2").Add("fc", new FullyConnected(3)),
        ["a shortcut from before the activation"] = b => b
            .Add("conv1", new Conv2D(2, 3) { Padding = 1 }).Add("relu1", new Relu(), "conv1")
            .Add("conv2", new Conv2D(2, 3) { Padding = 1 }).Add("add", new Add(), "conv2", "conv1").Add("fc", new FullyConnected(3)),
        ["a node read by three layers"] = b => b
            .Add("conv1", new Conv2D(2, 3) { Padding = 1 }).Add("relu1", new Relu())
            .Add("tanh", new Tanh(), "relu1").Add("sigmoid", new Sigmoid(), "relu1")
            .Add("add1", new Add(), "tanh", "sigmoid").Add("conv2", new Conv2D(2, 1), "relu1").Add("add2", new Add(), "add1", "conv2")
            .Add("fc", new FullyConnected(3)),
        ["a convolution read by three convolutions"] = b => b
            .Add("conv1", new Conv2D(3, 3)).Add("a", new Conv2D(2, 1), "conv1").Add("b", new Conv2D(2, 1), "conv1").Add("c", new Conv2D(2, 1), "conv1")
            .Add("ab", new Add(), "a", "b").Add("abc", new Add(), "ab", "c").Add("fc", new FullyConnected(3)),
        ["a layer added to itself"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("relu", new Relu()).Add("twice", new Add(), "relu", "relu").Add("fc", new FullyConnected(3)),
        ["the sample read by two layers"] = b => b
            .Add("a", new Conv2D(2, 3) { Padding = 1 }, "input").Add("b", new Conv2D(2, 1), "input").Add("add", new Add(), "a", "b").Add("fc", new FullyConnected(3)),
        ["the sample added to what comes of it"] = b => b
            .Add("conv", new Conv2D(2, 3) { Padding = 1 }).Add("add", new Add(), "conv", "input").Add("relu", new Relu()).Add("fc", new FullyConnected(3)),
        ["layers without parameters before the first with"] = b => b
            .Add("relu0", new Relu()).Add("pool0", new AveragePool2D(3) { Stride = 1 }).Add("tanh0", new Tanh()).Add("conv", new Conv2D(2, 2)).Add("fc", new FullyConnected(3)),
        ["a branch without parameters"] = b => b
            .Add("tanh0", new Tanh(), "input").Add("conv", new Conv2D(2, 3) { Padding = 1 }, "input").Add("add", new Add(), "tanh0", "conv").Add("fc", new FullyConnected(3)),
        ["flatten after relu"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("relu", new Relu()).Add("flatten", new Flatten()).Add("fc", new FullyConnected(3)),
        ["relu after flatten"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("flatten", new Flatten()).Add("relu", new Relu()).Add("fc", new FullyConnected(3)),
        ["tanh after tanh"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("tanh1", new Tanh()).Add("tanh2", new Tanh()).Add("fc", new FullyConnected(3)),
        ["tanh after flatten after tanh"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("tanh1", new Tanh()).Add("flatten", new Flatten()).Add("tanh2", new Tanh()).Add("fc", new FullyConnected(3)),
        ["relu after flatten after flatten after maximum"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("pool", new MaxPool2D(2)).Add("flatten1", new Flatten()).Add("flatten2", new Flatten()).Add("relu", new Relu())
            .Add("fc", new FullyConnected(3)),
        ["relu after relu"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("relu1", new Relu()).Add("relu2", new Relu()).Add("fc", new FullyConnected(3)),
        ["sigmoid after maximum"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("pool", new MaxPool2D(2) { Stride = 1 }).Add("sigmoid", new Sigmoid()).Add("fc", new FullyConnected(3)),
        ["sigmoid after mean"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("pool", new AveragePool2D(2) { Stride = 1 }).Add("sigmoid", new Sigmoid()).Add("fc", new FullyConnected(3)),
        ["a flattened image read by two layers"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("flatten", new Flatten()).Add("a", new FullyConnected(4), "flatten").Add("b", new FullyConnected(4), "flatten")
            .Add("add", new Add(), "a", "b").Add("tanh", new Tanh()).Add("fc", new FullyConnected(3)),
        ["an image read flattened and as it is"] = b => b
            .Add("conv", new Conv2D(2, 3)).Add("flatten", new Flatten(), "conv").Add("relu", new Relu(), "conv")
            .Add("a", new FullyConnected(4), "flatten").Add("b", new FullyConnected(4), "relu").Add("add", new Add(), "a", "b").Add("fc", new FullyConnected(3)),
        ["the sample flattened"] = b => b.Add("flatten", new Flatten()).Add("relu", new Relu()).Add("fc", new FullyConnected(3)),
        ["scores out of an activation"] = b => b.Add("fc", new FullyConnected(3)).Add("tanh", new Tanh()),
        ["scores out of a rectified convolution"] = b => b.Add("conv", new Conv2D(3, 6)).Add("relu", new Relu()),
        ["scores out of flatten"] = b => b.Add("conv", new Conv2D(1, 4)).Add("flatten", new Flatten()),
        ["scores out of a sum"] = b => b
            .Add("a", new FullyConnected(3), "input").Add("b", new FullyConnected(3), "a").Add("add", new Add(), "a", "b"),
        ["three branches side by side"] = b => b
            .Add("conv", new Conv2D(3, 3)).Add("relu", new Relu())
            .Add("a", new Conv2D(2, 1), "relu").Add("ra", new Relu())
            .Add("b", new Conv2D(4, 3) { Padding = 1 }, "relu").Add("rb", new LeakyRelu())
            .Add("c", new MaxPool2D(3) { Stride = 1, Padding = 1 }, "relu")
            .Add("join", new Concat(), "ra", "rb", "c").Add("elu", new Elu()).Add("mean", new GlobalAveragePool2D()).Add("fc", new FullyConnected(3)),
        ["branches that lie side by side in another order, one of them twice"] = b => b
            .Add("a", new Conv2D(2, 1)).Add("b", new Conv2D(1, 1), "input").Add("join", new Concat(), "b", "a", "input", "b").Add("gelu", new Gelu()).Add("fc", new FullyConnected(3)),
        ["each layer reads all before it"] = b => b
            .Add("a", new Conv2D(2, 3) { Padding = 1 }).Add("ab", new Concat(), "input", "a").Add("b", new Conv2D(2, 3) { Padding = 1 }).Add("rb", new Relu())
            .Add("abc", new Concat(), "ab", "rb").Add("c", new Conv2D(2, 3)).Add("fc", new FullyConnected(3)),
        ["a softmax inside, in place"] = b => b
            .Add("conv", new Conv2D(3, 3)).Add("softmax", new Softmax()).Add("flatten", new Flatten()).Add("tanh", new Tanh()).Add("fc", new FullyConnected(3)),
        ["gelu, elu and leaky relu in a row"] = b => b
            .Add("conv", new Conv2D(3, 3)).Add("gelu", new Gelu()).Add("elu", new Elu()).Add("leaky", new LeakyRelu(0.2f)).Add("fc", new FullyConnected(3)),
        ["a sum of four"] = b => b
            .Add("a", new Conv2D(2, 1)).Add("b", new Conv2D(2, 1), "input").Add("rb", new Relu()).Add("sum", new Add(), "a", "rb", "input", "a").Add("fc", new FullyConnected(3)),
        ["down and up again"] = b => b
            .Add("down", new Conv2D(4, 3) { Stride = 2, Padding = 1 }).Add("r1", new Relu()).Add("up", new TransposedConv2D(2, 3) { Stride = 2, Padding = 1, OutputPadding = 1 })
            .Add("r2", new Relu()).Add("join", new Concat(), "input", "r2").Add("norm", new LocalResponseNormalisation(3) { K = 2 }).Add("fc", new FullyConnected(3)),
        ["maxima in ceil mode"] = b => b
            .Add("conv", new Conv2D(3, 3)).Add("pool", new MaxPool2D(3) { Stride = 2, CeilMode = true }).Add("elu", new Elu()).Add("fc", new FullyConnected(3)),
        ["two shortcuts, one inside the other"] = b => b
            .Add("conv1", new Conv2D(2, 3) { Padding = 1 }).Add("conv2", new Conv2D(2, 3) { Padding = 1 }).Add("relu2", new Relu())
            .Add("conv3", new Conv2D(2, 3) { Padding = 1 }).Add("inner", new Add(), "conv3", "relu2").Add("outer", new Add(), "inner", "conv1").Add("relu", new Relu())
            .Add("pool", new MaxPool2D(2)).Add("fc", new FullyConnected(3)),
    };

    public static IEnumerable<string> Names => Built.Keys;

    public static Network Of(string name) => Built[name](new NetworkBuilder(name, new Shape(2, 6, 6))).Build();
}
