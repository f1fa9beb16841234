using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Models;

public sealed class LeNet5Tests
{
    [Theory]
    [InlineData("lenet5")]
    [InlineData("lenet5-classic")]
    public void LeNet_5_has_the_published_number_of_parameters(string name)
    {
        Model model = ModelZoo.Find(name)!;

        Network network = model.Build(model.Input, model.Classes);

        Assert.Equal(name, network.Name);
        Assert.Equal(61_706, network.ParameterCount);
        Assert.Equal(416_520, network.MultiplyAdds);
    }

    [Fact]
    public void Its_parameters_have_the_names_and_shapes_that_the_world_expects()
    {
        Network network = LeNet5.Modern(new Shape(1, 28, 28), 10);

        Assert.Equal(
            [
                "conv1.weight [6, 1, 5, 5]", "conv1.bias [6]", "conv2.weight [16, 6, 5, 5]", "conv2.bias [16]", "fc1.weight [120, 400]", "fc1.bias [120]",
                "fc2.weight [84, 120]", "fc2.bias [84]", "fc3.weight [10, 84]", "fc3.bias [10]",
            ],
            network.Parameters.Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}]"));
        Assert.Equal(network.ParameterCount, network.Parameters[^1].Offset + network.Parameters[^1].Length);
    }

    [Theory]
    [InlineData(3, 32, 32, 100)]
    [InlineData(1, 12, 12, 2)]
    public void It_takes_other_images_and_classes(int channels, int height, int width, int classes) =>
        Assert.Equal(classes, LeNet5.Modern(new Shape(channels, height, width), classes).Classes);

    [Fact]
    public void Images_that_are_too_small_are_told_by_layer() =>
        Assert.StartsWith("conv2: ", Assert.Throws<ShapeException>(() => LeNet5.Modern(new Shape(1, 8, 8), 10)).Message, StringComparison.Ordinal);
}
