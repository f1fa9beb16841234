using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>A network that is built in.</summary>
/// <param name="Name">As in a job file: <c>lenet5</c>.</param>
/// <param name="Summary">One line for people.</param>
/// <param name="Input">The input's shape that it was published for.</param>
/// <param name="Classes">The classes that it was published for.</param>
/// <param name="Build">Builds it for an input shape and a number of classes.</param>
public sealed record Model(string Name, string Summary, Shape Input, int Classes, Func<Shape, int, Network> Build);

/// <summary>The networks that are built in.</summary>
public static class ModelZoo
{
    private static readonly Shape Large = new(3, 224, 224), Small = new(3, 32, 32);

    /// <summary>All of them, by family.</summary>
    public static IReadOnlyList<Model> All { get; } =
    [
        new("lenet5", "LeNet-5 with ReLU and max pooling (1998, modern form)", new Shape(1, 28, 28), 10, LeNet5.Modern),
        new("lenet5-classic", "LeNet-5 with tanh and average pooling, as in 1998", new Shape(1, 28, 28), 10, LeNet5.Classic),
        new("alexnet", "AlexNet in one column (2012)", Large, 1000, AlexNet.Build),
        new("zfnet", "ZFNet: AlexNet with a finer first layer (2013)", Large, 1000, ZfNet.Build),
        .. from depth in new[] { 11, 13, 16, 19 }
           from normalised in new[] { false, true }
           select new Model(
               $"vgg{depth}{(normalised ? "-bn" : "")}", $"VGG with {depth} layers{(normalised ? " and batch normalisation" : "")} (2014)",
               Large, 1000, (input, classes) => Vgg.Build(depth, normalised, input, classes)),
        new("googlenet", "GoogLeNet, Inception v1 (2014)", Large, 1000, GoogLeNet.Build),
        .. from depth in new[] { 18, 34, 50, 101, 152 }
           select new Model($"resnet{depth}", $"ResNet with {depth} layers (2015)", Large, 1000, (input, classes) => ResNet.Build(depth, input, classes)),
        .. from depth in new[] { 20, 32, 44, 56, 110 }
           select new Model($"resnet{depth}", $"ResNet with {depth} layers for small images (2015)", Small, 10, (input, classes) => CifarResNet.Build(depth, input, classes)),
    ];

    /// <summary>The model of a name, or null.</summary>
    public static Model? Find(string name) => All.FirstOrDefault(m => m.Name == name);
}
