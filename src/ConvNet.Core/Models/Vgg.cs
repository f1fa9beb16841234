using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>VGG: nothing but 3×3 convolutions, deep. 132 863 336 to 143 667 240 parameters for 224×224×3 and 1000 classes.</summary>
/// <remarks>
/// Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", table 1, columns A, B, D, E. The forms with
/// batch normalisation (Ioffe and Szegedy 2015) have it between convolution and ReLU.
/// Any image from 32×32 on; the first fully connected layer takes what five poolings leave.
/// </remarks>
public static class Vgg
{
    /// <summary>Convolutions in each of the five stages, by depth.</summary>
    private static readonly Dictionary<int, int[]> Stages = new()
    {
        [11] = [1, 1, 2, 2, 2],
        [13] = [2, 2, 2, 2, 2],
        [16] = [2, 2, 3, 3, 3],
        [19] = [2, 2, 4, 4, 4],
    };

    private static readonly int[] Channels = [64, 128, 256, 512, 512];

    /// <summary>The network of a depth (11, 13, 16 or 19) for an input shape and a number of classes.</summary>
    /// <exception cref="ShapeException">The images are smaller than 32×32.</exception>
    public static Network Build(int depth, bool normalised, Shape input, int classes)
    {
        string name = $"vgg{depth}{(normalised ? "-bn" : "")}";
        Blocks.RequireAtLeast(32, name, input);
        var network = new NetworkBuilder(name, input);
        for (int stage = 1; stage <= 5; stage++)
        {
            for (int i = 1; i <= Stages[depth][stage - 1]; i++)
            {
                network.Add($"conv{stage}_{i}", new Conv2D(Channels[stage - 1], 3) { Padding = 1 });
                if (normalised)
                    network.Add($"norm{stage}_{i}", new BatchNorm2D());
                network.Add($"relu{stage}_{i}", new Relu());
            }

            network.Add($"pool{stage}", new MaxPool2D(2));
        }

        return network.AddClassifier(6, classes).Build();
    }
}
