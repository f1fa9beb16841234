using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;
using ConvNet.Core.Tests.Layers;
using ConvNet.Core.Training;

namespace ConvNet.Core.Tests.Networks;

/// <summary>Whole networks with softmax and cross-entropy, branches and shared buffers, against double precision.</summary>
public sealed class NetworkGradientTests
{
    public static TheoryData<string> Names()
    {
        var data = new TheoryData<string>();
        foreach (string name in All.Keys)
            data.Add(name);
        return data;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Loss_and_gradients_of_a_network_agree_with_double_precision(string name)
    {
        Network network = All[name]();
        foreach (int samples in new[] { 3, 18 })
            Check(network, samples);
    }

    private static readonly Dictionary<string, Func<Network>> All = new()
    {
        ["chain"] = () => Start().Add("conv", new Conv2D(3, 3)).Add("tanh", new Tanh()).Add("pool", new MaxPool2D(2)).Add("fc", new FullyConnected(4)).Build(),
        ["relu, flatten, relu, tanh in place"] = () => Start().Add("conv", new Conv2D(3, 3)).Add("relu", new Relu()).Add("flatten", new Flatten())
            .Add("relu2", new Relu()).Add("tanh", new Tanh()).Add("fc", new FullyConnected(4)).Build(),
        ["sigmoid after pooling"] = () => Start().Add("pool", new MaxPool2D(2)).Add("conv", new Conv2D(3, 2)).Add("pool2", new MaxPool2D(2) { Stride = 1 })
            .Add("sigmoid", new Sigmoid()).Add("flatten", new Flatten()).Add("fc", new FullyConnected(4)).Build(),
        ["flatten a pooled image, then work in place"] = () => Start().Add("conv", new Conv2D(3, 3)).Add("pool", new MaxPool2D(2)).Add("flatten", new Flatten())
            .Add("tanh", new Tanh()).Add("fc", new FullyConnected(4)).Build(),
        ["shortcut"] = () => Start().Add("a", new Conv2D(3, 3)).Add("ra", new Relu()).Add("b", new Conv2D(3, 3) { Padding = 1 }).Add("sum", new Add(), "ra", "b")
            .Add("r", new Relu()).Add("fc", new FullyConnected(4)).Build(),
        ["a node read three times"] = () => Start().Add("a", new Conv2D(2, 3)).Add("p", new Tanh()).Add("q", new Conv2D(2, 1), "a").Add("s", new Sigmoid(), "a")
            .Add("pq", new Add(), "p", "q").Add("pqs", new Add(), "pq", "s").Add("fc", new FullyConnected(4)).Build(),
        ["a node added to itself"] = () => Start().Add("a", new Conv2D(2, 3)).Add("twice", new Add(), "a", "a").Add("fc", new FullyConnected(4)).Build(),
        ["the sample read twice"] = () => Start().Add("a", new Conv2D(2, 3) { Padding = 1 }, "input").Add("b", new Conv2D(2, 1), "input").Add("sum", new Add(), "a", "b")
            .Add("fc", new FullyConnected(4)).Build(),
        ["scores straight from the sample"] = () => Start().Add("fc", new FullyConnected(4)).Build(),
        ["an activation as the last layer"] = () => Start().Add("fc", new FullyConnected(4)).Add("tanh", new Tanh()).Build(),
        ["normalised and rectified"] = () => Start().Add("a", new Conv2D(3, 3) { Bias = false }).Add("na", new BatchNorm2D()).Add("ra", new Relu())
            .Add("b", new Conv2D(3, 3) { Padding = 1, Bias = false }).Add("nb", new BatchNorm2D()).Add("sum", new Add(), "nb", "ra").Add("r", new Relu())
            .Add("pool", new AveragePool2D(2)).Add("fc", new FullyConnected(4)).Build(),
        ["dropout after relu, and before it"] = () => Start().Add("a", new Conv2D(3, 3)).Add("ra", new Relu()).Add("da", new Dropout(0.3f))
            .Add("flatten", new Flatten()).Add("b", new FullyConnected(9)).Add("db", new Dropout(0.5f)).Add("rb", new Relu()).Add("fc", new FullyConnected(4)).Build(),
        ["an auxiliary output"] = () => Start().Add("a", new Conv2D(3, 3)).Add("ra", new Relu())
            .Add("pool", new MaxPool2D(2), "ra").Add("drop", new Dropout(0.3f)).Add("aux", new FullyConnected(4))
            .Add("b", new Conv2D(3, 3) { Padding = 1 }, "ra").Add("rb", new Relu()).Add("fc", new FullyConnected(4)).Auxiliary("aux", 0.3f).Build(),
        ["two auxiliary outputs of one layer"] = () => Start().Add("a", new Conv2D(3, 3)).Add("ta", new Tanh())
            .Add("aux1", new FullyConnected(4), "ta").Add("aux2", new FullyConnected(4), "ta").Add("fc", new FullyConnected(4), "ta")
            .Auxiliary("aux1", 0.3f).Auxiliary("aux2", 2).Build(),
        ["an inception module"] = () => Start().Add("stem", new Conv2D(3, 3)).Add("r", new Relu())
            .Add("a", new Conv2D(2, 1), "r").Add("ra", new Relu())
            .Add("b1", new Conv2D(2, 1), "r").Add("rb1", new Relu()).Add("b", new Conv2D(3, 3) { Padding = 1 }).Add("rb", new Relu())
            .Add("p", new MaxPool2D(3) { Stride = 1, Padding = 1 }, "r").Add("c", new Conv2D(1, 1)).Add("rc", new Relu())
            .Add("out", new Concat(), "ra", "rb", "rc").Add("mean", new GlobalAveragePool2D()).Add("drop", new Dropout(0.4f)).Add("fc", new FullyConnected(4)).Build(),
        ["a layer concatenated with itself and the sample"] = () => Start().Add("a", new Conv2D(3, 3) { Padding = 1 }).Add("ra", new Relu())
            .Add("out", new Concat(), "ra", "input", "ra").Add("fc", new FullyConnected(4)).Build(),
        ["local response after relu"] = () => Start().Add("a", new Conv2D(6, 3)).Add("ra", new Relu()).Add("norm", new LocalResponseNormalisation { Alpha = 0.5f, K = 2 })
            .Add("pool", new MaxPool2D(3) { Stride = 2, CeilMode = true }).Add("fc", new FullyConnected(4)).Build(),
        ["residual blocks with identity shortcuts"] = () => Start().Add("a", new Conv2D(3, 3) { Padding = 1 }).Add("na", new BatchNorm2D()).Add("ra", new Relu())
            .Add("b", new Conv2D(5, 3) { Padding = 1, Stride = 2 }).Add("nb", new BatchNorm2D()).Add("short", new IdentityShortcut(5) { Stride = 2 }, "ra")
            .Add("sum", new Add(), "nb", "short").Add("r", new Relu()).Add("mean", new GlobalAveragePool2D()).Add("fc", new FullyConnected(4)).Build(),
        ["soft activations"] = () => Start().Add("a", new Conv2D(3, 3)).Add("g", new Gelu()).Add("b", new Conv2D(3, 1)).Add("e", new Elu())
            .Add("c", new Conv2D(3, 1)).Add("l", new LeakyRelu()).Add("fc", new FullyConnected(4)).Build(),
        ["a softmax inside, read twice"] = () => Start().Add("a", new Conv2D(3, 3)).Add("s", new Softmax()).Add("t", new Tanh(), "a")
            .Add("join", new Concat(), "s", "t", "s").Add("fc", new FullyConnected(4)).Build(),
        ["down and up again"] = () => Start().Add("down", new Conv2D(4, 3) { Stride = 2, Padding = 1 }).Add("nd", new BatchNorm2D()).Add("rd", new Relu())
            .Add("up", new TransposedConv2D(2, 4) { Stride = 2, Padding = 1 }).Add("ru", new Relu()).Add("sum", new Add(), "ru", "input", "ru")
            .Add("drop", new Dropout(0.3f)).Add("fc", new FullyConnected(4)).Build(),
        ["small classic"] = () => LeNet5.Classic(new Shape(1, 12, 12), 3),
    };

    private static NetworkBuilder Start() => new("test", new Shape(2, 6, 6));

    private static void Check(Network network, int samples)
    {
        var random = new Philox(5, Purpose.Test);
        int features = network.Input.Elements;
        double[] input = [.. Enumerable.Range(0, samples * features).Select(i => (double)((2 * random.Uniform(1, (ulong)i)) - 1))];
        int[] labels = [.. Enumerable.Range(0, samples).Select(i => i % network.Classes)];
        var weights = new float[network.ParameterCount];
        network.Initialize(weights, 11);
        for (int i = 0; i < weights.Length; i++)
            weights[i] += 0.05f * (random.Uniform(2, (ulong)i) - 0.5f);
        ContributionLayout layout = network.Layout;
        var contribution = new float[layout.Length];
        Array.Fill(contribution, float.NaN);
        using var workspace = new Workspace(new ExecutionPlan(network, microBatch: 20));

        SampleLanes.Write(input, samples, workspace.Input[..(SampleLanes.Blocks(samples) * features * 16)]);
        workspace.Labels.Fill(-1);
        labels.CopyTo(workspace.Labels);
        workspace.Train(samples, weights, contribution);

        double[] exact = [.. weights.Select(w => (double)w)];
        Assert.Equal(Losses(network, input, exact, labels).Main, contribution[layout.MetricsOffset + ContributionLayout.LossSum], 1e-4);
        Assert.Equal(samples, contribution[layout.MetricsOffset + ContributionLayout.Samples]);
        double scale = contribution.Take(network.ParameterCount).Max(g => Math.Abs((double)g));
        int stride = Math.Max(1, network.ParameterCount / 150);     // a sample of the larger networks' parameters
        for (int i = 0; i < network.ParameterCount; i += stride)
        {
            const double Step = 1e-5;
            double before = exact[i];
            exact[i] = before + Step;
            double above = Loss(network, input, exact, labels);
            exact[i] = before - Step;
            double below = Loss(network, input, exact, labels);
            exact[i] = before;
            double expected = (above - below) / (2 * Step);
            Assert.True(Math.Abs(expected - contribution[i]) <= 2e-5 * (scale + 1), $"{Owner(network, i)}: expected {expected}, got {contribution[i]}");
        }
    }

    private static string Owner(Network network, int i)
    {
        Parameter parameter = network.Parameters.Last(p => p.Offset <= i);
        return $"{parameter.Name}[{i - parameter.Offset}]";
    }

    private static double Loss(Network network, double[] input, double[] weights, int[] labels) => Losses(network, input, weights, labels).All;

    private static (double Main, double All) Losses(Network network, double[] input, double[] weights, int[] labels)
    {
        var outputs = new List<double[]>();
        foreach (Node node in network.Nodes)
        {
            double[][] from = [.. node.Inputs.Select(i => i == Network.InputNode ? input : outputs[i])];
            double[] parameters = weights[node.FirstParameter..(node.FirstParameter + node.ParameterCount)];
            outputs.Add(DoubleLayers.Forward(node.Layer, [.. node.InputShapes], from, parameters, labels.Length, outputs.Count));
        }

        double main = Of(outputs[^1]);
        return (main, main + network.Auxiliaries.Sum(a => a.Weight * Of(outputs[a.Node])));

        double Of(double[] output) => labels.Select((label, n) =>
        {
            double[] scores = output.Skip(n * network.Classes).Take(network.Classes).ToArray();
            return Math.Log(scores.Sum(s => Math.Exp(s - scores.Max()))) + scores.Max() - scores[label];
        }).Sum();
    }
}
