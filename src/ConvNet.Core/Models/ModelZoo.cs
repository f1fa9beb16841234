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
    /// <summary>All of them, by family.</summary>
    public static IReadOnlyList<Model> All { get; } =
    [
        new("lenet5", "LeNet-5 with ReLU and max pooling (1998, modern form)", new Shape(1, 28, 28), 10, LeNet5.Modern),
        new("lenet5-classic", "LeNet-5 with tanh and average pooling, as in 1998", new Shape(1, 28, 28), 10, LeNet5.Classic),
    ];

    /// <summary>The model of a name, or null.</summary>
    public static Model? Find(string name) => All.FirstOrDefault(m => m.Name == name);
}
