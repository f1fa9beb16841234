using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>ResNet for large images: 11 689 512 (18 layers) to 60 192 808 (152 layers) parameters for 224×224×3 and 1000 classes.</summary>
/// <remarks>
/// He, Zhang, Ren, Sun 2016, "Deep residual learning for image recognition", table 1; shortcuts by projection where the shape changes (option B). In
/// bottlenecks the 3×3 convolution has the stride, as most do today (Goyal et al. 2017, "Accurate, large minibatch SGD", §5.1), not the 1×1 before it.
/// Layers are named as in torchvision, so that its weights fit.
/// Images below 64×64 get a 3×3 first convolution without stride, and no pooling after it; the rest is the same.
/// </remarks>
public static class ResNet
{
    /// <summary>Blocks in each of the four stages, by depth.</summary>
    private static readonly Dictionary<int, int[]> Stages = new()
    {
        [18] = [2, 2, 2, 2],
        [34] = [3, 4, 6, 3],
        [50] = [3, 4, 6, 3],
        [101] = [3, 4, 23, 3],
        [152] = [3, 8, 36, 3],
    };

    /// <summary>The network of a depth (18, 34, 50, 101 or 152) for an input shape and a number of classes.</summary>
    public static Network Build(int depth, Shape input, int classes)
    {
        bool bottleneck = depth >= 50, small = Blocks.IsSmall(input);
        var network = new NetworkBuilder($"resnet{depth}", input);
        Normalised(network, "", 1, small ? Convolution(64, 3, 1) : Convolution(64, 7, 2)).Add("relu", new Relu());
        if (!small)
            network.Add("maxpool", new MaxPool2D(3) { Stride = 2, Padding = 1 });
        string last = small ? "relu" : "maxpool";
        int channels = 64;
        for (int stage = 1; stage <= 4; stage++)
        {
            for (int block = 0; block < Stages[depth][stage - 1]; block++)
            {
                int width = 32 << stage, stride = stage > 1 && block == 0 ? 2 : 1, outputs = bottleneck ? 4 * width : width;
                last = Block(network, $"layer{stage}.{block}.", last, width, outputs, stride, bottleneck, project: stride > 1 || channels != outputs);
                channels = outputs;
            }
        }

        return network.Add("avgpool", new GlobalAveragePool2D()).Add("fc", new FullyConnected(classes) { Initializer = Initializer.LeCunUniform }).Build();
    }

    /// <summary>One residual block, figure 5; returns its last layer's name.</summary>
    private static string Block(NetworkBuilder network, string name, string input, int width, int outputs, int stride, bool bottleneck, bool project)
    {
        if (bottleneck)
        {
            Normalised(network, name, 1, Convolution(width, 1, 1), input).Add($"{name}relu1", new Relu());
            Normalised(network, name, 2, Convolution(width, 3, stride)).Add($"{name}relu2", new Relu());
            Normalised(network, name, 3, Convolution(outputs, 1, 1));
        }
        else
        {
            Normalised(network, name, 1, Convolution(width, 3, stride), input).Add($"{name}relu1", new Relu());
            Normalised(network, name, 2, Convolution(outputs, 3, 1));
        }

        string branch = $"{name}bn{(bottleneck ? 3 : 2)}", shortcut = input;
        if (project)
        {
            network.Add($"{name}downsample.0", Convolution(outputs, 1, stride), input).Add($"{name}downsample.1", new BatchNorm2D());
            shortcut = $"{name}downsample.1";
        }

        network.Add($"{name}add", new Add(), branch, shortcut).Add($"{name}relu", new Relu());
        return $"{name}relu";
    }

    private static NetworkBuilder Normalised(NetworkBuilder network, string name, int number, Conv2D convolution, params string[] inputs) =>
        network.Add($"{name}conv{number}", convolution, inputs).Add($"{name}bn{number}", new BatchNorm2D());

    private static Conv2D Convolution(int channels, int kernel, int stride) =>
        new(channels, kernel) { Stride = stride, Padding = kernel / 2, Bias = false, Initializer = Initializer.HeNormal };
}
