using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>ZFNet: AlexNet with a finer first layer, found by looking at what its layers see; 62 357 608 parameters for 224×224×3 and 1000 classes.</summary>
/// <remarks>
/// Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", figure 3. Its parameters:
/// <code>
/// conv1    96·(3·7·7 + 1)        14 208       fc6  4096·(256·6·6 + 1)   37 752 832
/// conv2   256·(96·5·5 + 1)      614 656       fc7  4096·(4096 + 1)      16 781 312
/// conv3   384·(256·3·3 + 1)     885 120       fc8  1000·(4096 + 1)       4 097 000
/// conv4   384·(384·3·3 + 1)   1 327 488
/// conv5   256·(384·3·3 + 1)     884 992                                 62 357 608
/// </code>
/// Images below 64×64, from 17×17 on, get the first two convolutions without stride; the rest is the same.
/// </remarks>
public static class ZfNet
{
    /// <summary>The network for an input shape and a number of classes.</summary>
    /// <exception cref="ShapeException">The images are smaller than 17×17.</exception>
    public static Network Build(Shape input, int classes)
    {
        Blocks.RequireAtLeast(17, "zfnet", input);
        bool small = Blocks.IsSmall(input);
        return new NetworkBuilder("zfnet", input)
            .AddRectified("1", small ? new Conv2D(96, 7) { Padding = 3 } : new Conv2D(96, 7) { Stride = 2, Padding = 1 })      //  96 × 110×110
            .Add("pool1", new MaxPool2D(3) { Stride = 2, Padding = 1 })                                                        //  96 × 55×55
            .Add("norm1", Contrast())
            .AddRectified("2", small ? new Conv2D(256, 5) { Padding = 2 } : new Conv2D(256, 5) { Stride = 2 })                 // 256 × 26×26
            .Add("pool2", new MaxPool2D(3) { Stride = 2, Padding = 1 })                                                        // 256 × 13×13
            .Add("norm2", Contrast())
            .AddRectified("3", new Conv2D(384, 3) { Padding = 1 })                                                             // 384 × 13×13
            .AddRectified("4", new Conv2D(384, 3) { Padding = 1 })                                                             // 384 × 13×13
            .AddRectified("5", new Conv2D(256, 3) { Padding = 1 })                                                             // 256 × 13×13
            .Add("pool5", new MaxPool2D(3) { Stride = 2 })                                                                     // 256 × 6×6
            .AddClassifier(6, classes)
            .Build();
    }

    /// <summary>"Contrast normalised across feature maps."</summary>
    private static LocalResponseNormalisation Contrast() => new() { K = 2 };
}
