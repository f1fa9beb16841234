using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>GoogLeNet (Inception v1) with its 5×5 branches: 6 998 552 parameters for 224×224×3 and 1000 classes, and two auxiliary classifiers in training.</summary>
/// <remarks>
/// Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich 2015, "Going deeper with convolutions", table 1 and §5.
/// Images below 64×64, from 24×24 on, get a 3×3 first convolution without stride instead of 7×7 with stride 2; the rest is the same.
/// </remarks>
public static class GoogLeNet
{
    private const float AuxiliaryWeight = 0.3f;

    /// <summary>Channels of an Inception module, in the columns of table 1.</summary>
    private readonly record struct Module(int One, int ThreeReduce, int Three, int FiveReduce, int Five, int PoolProjection);

    /// <summary>The network for an input shape and a number of classes.</summary>
    /// <exception cref="ShapeException">The images are smaller than 24×24.</exception>
    public static Network Build(Shape input, int classes)
    {
        Blocks.RequireAtLeast(24, "googlenet", input);
        Conv2D first = Blocks.IsSmall(input) ? new Conv2D(64, 3) { Padding = 1 } : new Conv2D(64, 7) { Stride = 2, Padding = 3 };
        int beforeFour = RoundedHalf(RoundedHalf(RoundedHalf(Blocks.IsSmall(input) ? new(1, input.Height, input.Width) : first.OutputShape("conv1", [input])))).Height;
        var network = new NetworkBuilder("googlenet", input)
            .AddRectified("1", first)                                           //   64 × 112×112
            .Add("pool1", Pool()).Add("norm1", new LocalResponseNormalisation())//   64 × 56×56
            .AddRectified("2_reduce", new Conv2D(64, 1))                        //   64 × 56×56
            .AddRectified("2", new Conv2D(192, 3) { Padding = 1 })              //  192 × 56×56
            .Add("norm2", new LocalResponseNormalisation()).Add("pool2", Pool());

        Inception(network, "3a", "pool2", new Module(64, 96, 128, 16, 32, 32));             //  256 × 28×28
        Inception(network, "3b", "3a.out", new Module(128, 128, 192, 32, 96, 64));          //  480 × 28×28
        network.Add("pool3", Pool());
        Inception(network, "4a", "pool3", new Module(192, 96, 208, 16, 48, 64));            //  512 × 14×14
        Auxiliary(network, "aux1", "4a.out", beforeFour, classes);
        Inception(network, "4b", "4a.out", new Module(160, 112, 224, 24, 64, 64));          //  512 × 14×14
        Inception(network, "4c", "4b.out", new Module(128, 128, 256, 24, 64, 64));          //  512 × 14×14
        Inception(network, "4d", "4c.out", new Module(112, 144, 288, 32, 64, 64));          //  528 × 14×14
        Auxiliary(network, "aux2", "4d.out", beforeFour, classes);
        Inception(network, "4e", "4d.out", new Module(256, 160, 320, 32, 128, 128));        //  832 × 14×14
        network.Add("pool4", Pool());
        Inception(network, "5a", "pool4", new Module(256, 160, 320, 32, 128, 128));         //  832 × 7×7
        Inception(network, "5b", "5a.out", new Module(384, 192, 384, 48, 128, 128));        // 1024 × 7×7
        return network
            .Add("mean", new GlobalAveragePool2D()).Add("drop", new Dropout(0.4f))
            .Add("fc", new FullyConnected(classes) { Initializer = Initializer.NarrowUniform })
            .Auxiliary("aux1.fc2", AuxiliaryWeight).Auxiliary("aux2.fc2", AuxiliaryWeight)
            .Build();
    }

    /// <summary>Four branches over one input, their channels put together; figure 2(b).</summary>
    private static void Inception(NetworkBuilder network, string name, string input, Module m) => network
        .Add($"{name}.1x1", new Conv2D(m.One, 1), input).Add($"{name}.relu_1x1", new Relu())
        .Add($"{name}.3x3_reduce", new Conv2D(m.ThreeReduce, 1), input).Add($"{name}.relu_3x3_reduce", new Relu())
        .Add($"{name}.3x3", new Conv2D(m.Three, 3) { Padding = 1 }).Add($"{name}.relu_3x3", new Relu())
        .Add($"{name}.5x5_reduce", new Conv2D(m.FiveReduce, 1), input).Add($"{name}.relu_5x5_reduce", new Relu())
        .Add($"{name}.5x5", new Conv2D(m.Five, 5) { Padding = 2 }).Add($"{name}.relu_5x5", new Relu())
        .Add($"{name}.pool", new MaxPool2D(3) { Stride = 1, Padding = 1 }, input)
        .Add($"{name}.pool_proj", new Conv2D(m.PoolProjection, 1)).Add($"{name}.relu_pool_proj", new Relu())
        .Add($"{name}.out", new Concat(), $"{name}.relu_1x1", $"{name}.relu_3x3", $"{name}.relu_5x5", $"{name}.relu_pool_proj");

    /// <summary>A small classifier on the side, §5; on images smaller than its 5×5 window it takes their mean.</summary>
    private static void Auxiliary(NetworkBuilder network, string name, string input, int pixels, int classes) => network
        .Add($"{name}.pool", pixels >= 5 ? new AveragePool2D(5) { Stride = 3 } : new GlobalAveragePool2D(), input)
        .Add($"{name}.conv", new Conv2D(128, 1)).Add($"{name}.relu", new Relu())
        .Add($"{name}.fc1", new FullyConnected(1024) { Initializer = Initializer.NarrowUniform }).Add($"{name}.relu_fc1", new Relu()).Add($"{name}.drop", new Dropout(0.7f))
        .Add($"{name}.fc2", new FullyConnected(classes) { Initializer = Initializer.NarrowUniform });

    private static MaxPool2D Pool() => new(3) { Stride = 2, CeilMode = true };

    private static Shape RoundedHalf(Shape x)
    {
        Shape y = Pool().OutputShape("pool", [x]);
        return new Shape(1, Math.Min(y.Height, y.Width), Math.Min(y.Height, y.Width));
    }
}
