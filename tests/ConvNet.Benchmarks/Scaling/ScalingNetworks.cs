using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>A network whose training is scaled over workers.</summary>
/// <param name="Network">The network.</param>
/// <param name="Batch">Samples of a step for each worker: with two workers the step has twice as many.</param>
/// <param name="MicroBatch">Samples that a lane computes at a time.</param>
internal sealed record ScalingCase(Network Network, int Batch, int MicroBatch);

/// <summary>The networks and batches: a small one whose step takes milliseconds, one that computes much with few parameters, one that has very many.</summary>
/// <remarks>Shapes and batches are those of the measurement of PyTorch's data-parallel training that the README has beside them.</remarks>
internal static class ScalingNetworks
{
    public static IReadOnlyList<string> Names { get; } = ["lenet5", "resnet-like", "alexnet-sized"];

    public static ScalingCase Find(string name) => name switch
    {
        "lenet5" => new(LeNet5.Modern(new Shape(1, 28, 28), 10), Batch: 128, MicroBatch: 32),
        "resnet-like" => new(ResNetLike(), Batch: 64, MicroBatch: 32),
        "alexnet-sized" => new(AlexNetSized(), Batch: 16, MicroBatch: 16),
        _ => throw new ArgumentException($"There is no network {name}; there are {string.Join(", ", Names)}."),
    };

    /// <summary>ResNet-20 for 32×32×3, without batch normalisation: 0.27 million parameters.</summary>
    private static Network ResNetLike()
    {
        var network = new NetworkBuilder("resnet-like", new Shape(3, 32, 32)).Add("conv", Square(16)).Add("relu", new Relu());
        string from = "relu";
        int before = 16;
        foreach (int channels in (int[])[16, 32, 64])
        {
            for (int block = 0; block < 3; block++)
            {
                string name = $"block{channels}-{block}";
                string shortcut = from;
                int stride = channels == before ? 1 : 2;
                network.Add($"{name}.conv1", Square(channels) with { Stride = stride }, from)
                    .Add($"{name}.relu1", new Relu())
                    .Add($"{name}.conv2", Square(channels));
                if (stride != 1)
                    network.Add(shortcut = $"{name}.shortcut", new Conv2D(channels, 1) { Stride = stride }, from);
                network.Add($"{name}.add", new Add(), $"{name}.conv2", shortcut).Add(from = $"{name}.relu2", new Relu());
                before = channels;
            }
        }

        return network.Add("pool", new AveragePool2D(8)).Add("flatten", new Flatten()).Add("fc", new FullyConnected(10)).Build();

        static Conv2D Square(int channels) => new(channels, 3) { Padding = 1 };
    }

    /// <summary>AlexNet of one column for 224×224×3, without dropout: 61 million parameters.</summary>
    private static Network AlexNetSized() => new NetworkBuilder("alexnet-sized", new Shape(3, 224, 224))
        .Add("conv1", new Conv2D(64, 11) { Stride = 4, Padding = 2 }).Add("relu1", new Relu()).Add("pool1", new MaxPool2D(3) { Stride = 2 })
        .Add("conv2", new Conv2D(192, 5) { Padding = 2 }).Add("relu2", new Relu()).Add("pool2", new MaxPool2D(3) { Stride = 2 })
        .Add("conv3", new Conv2D(384, 3) { Padding = 1 }).Add("relu3", new Relu())
        .Add("conv4", new Conv2D(256, 3) { Padding = 1 }).Add("relu4", new Relu())
        .Add("conv5", new Conv2D(256, 3) { Padding = 1 }).Add("relu5", new Relu()).Add("pool5", new MaxPool2D(3) { Stride = 2 })
        .Add("flatten", new Flatten())
        .Add("fc6", new FullyConnected(4096)).Add("relu6", new Relu())
        .Add("fc7", new FullyConnected(4096)).Add("relu7", new Relu())
        .Add("fc8", new FullyConnected(1000))
        .Build();
}
