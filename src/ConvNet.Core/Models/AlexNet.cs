using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>AlexNet in one column: 61 100 840 parameters for 224×224×3 and 1000 classes.</summary>
/// <remarks>
/// Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural networks"; the single column, without response
/// normalisation, is Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks".
/// Images below 64×64, from 15×15 on, get a 3×3 first convolution without stride instead of 11×11 with stride 4; the rest is the same.
/// </remarks>
public static class AlexNet
{
    /// <summary>The network for an input shape and a number of classes.</summary>
    /// <exception cref="ShapeException">The images are smaller than 15×15.</exception>
    public static Network Build(Shape input, int classes)
    {
        Blocks.RequireAtLeast(15, "alexnet", input);
        Conv2D first = Blocks.IsSmall(input) ? new Conv2D(64, 3) { Padding = 1 } : new Conv2D(64, 11) { Stride = 4, Padding = 2 };
        return new NetworkBuilder("alexnet", input)
            .AddRectified("1", first with { Initializer = Narrow })                                     //  64 × 55×55
            .Add("pool1", Pool())                                                                       //  64 × 27×27
            .AddRectified("2", new Conv2D(192, 5) { Padding = 2, Initializer = Narrow })                // 192 × 27×27
            .Add("pool2", Pool())                                                                       // 192 × 13×13
            .AddRectified("3", new Conv2D(384, 3) { Padding = 1, Initializer = Narrow })                // 384 × 13×13
            .AddRectified("4", new Conv2D(256, 3) { Padding = 1, Initializer = Narrow })                // 256 × 13×13
            .AddRectified("5", new Conv2D(256, 3) { Padding = 1, Initializer = Narrow })                // 256 × 13×13
            .Add("pool5", Pool())                                                                       // 256 × 6×6
            .AddClassifier(6, classes)
            .Build();
    }

    private static Initializer Narrow => Initializer.NarrowUniform;

    /// <summary>Overlapping windows, §3.4.</summary>
    private static MaxPool2D Pool() => new(3) { Stride = 2 };
}
