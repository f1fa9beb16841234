using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>ResNet for small images: 269 722 (20 layers) to 1 727 962 (110 layers) parameters for 32×32×3 and 10 classes.</summary>
/// <remarks>
/// He, Zhang, Ren, Sun 2016, "Deep residual learning for image recognition", §4.2: a 3×3 convolution, three stages of n blocks with 16, 32 and 64
/// channels, and the mean; 6n + 2 layers. Shortcuts have no parameters (option A).
/// </remarks>
public static class CifarResNet
{
    /// <summary>The network of a depth (20, 32, 44, 56 or 110) for an input shape and a number of classes.</summary>
    public static Network Build(int depth, Shape input, int classes)
    {
        int blocks = (depth - 2) / 6;
        var network = new NetworkBuilder($"resnet{depth}", input)
            .Add("conv1", Convolution(16, 1)).Add("bn1", new BatchNorm2D()).Add("relu1", new Relu());
        string last = "relu1";
        for (int stage = 1; stage <= 3; stage++)
        {
            for (int block = 0; block < blocks; block++)
                last = Block(network, $"layer{stage}.{block}.", last, channels: 8 << stage, stride: stage > 1 && block == 0 ? 2 : 1);
        }

        return network.Add("mean", new GlobalAveragePool2D()).Add("fc", new FullyConnected(classes) { Initializer = Initializer.LeCunUniform }).Build();
    }

    private static string Block(NetworkBuilder network, string name, string input, int channels, int stride)
    {
        network
            .Add($"{name}conv1", Convolution(channels, stride), input).Add($"{name}bn1", new BatchNorm2D()).Add($"{name}relu1", new Relu())
            .Add($"{name}conv2", Convolution(channels, 1)).Add($"{name}bn2", new BatchNorm2D());
        string shortcut = input;
        if (stride > 1)
        {
            shortcut = $"{name}shortcut";
            network.Add(shortcut, new IdentityShortcut(channels) { Stride = stride }, input);
        }

        network.Add($"{name}add", new Add(), $"{name}bn2", shortcut).Add($"{name}relu", new Relu());
        return $"{name}relu";
    }

    private static Conv2D Convolution(int channels, int stride) =>
        new(channels, 3) { Stride = stride, Padding = 1, Bias = false, Initializer = Initializer.HeNormal };
}
