using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Layers;

public class ActivationTests
{
    private static readonly Dictionary<string, Layer> Layers = new()
    {
        ["relu"] = new Relu(),
        ["tanh"] = new Tanh(),
        ["sigmoid"] = new Sigmoid(),
        ["leaky relu"] = new LeakyRelu(0.1f),
        ["elu"] = new Elu(0.7f),
        ["flatten"] = new Flatten(),
    };

    public static TheoryData<string> Names => [.. Layers.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Output_and_gradient_are_those_of_the_formula(string name)
    {
        foreach (int samples in new[] { 1, 16, 17, 40 })
            LayerCheck.Run(Layers[name], [new Shape(3, 2, 5)], samples);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(40)]
    public void A_sum_of_two_hands_its_gradient_to_both(int samples) =>
        LayerCheck.Run(new Add(), [new Shape(3, 2, 5), new Shape(3, 2, 5)], samples);

    [Fact]
    public void The_slope_of_a_relu_at_zero_is_zero()
    {
        LayerCheck.Result result = LayerCheck.Compute(new Relu(), [Shape.Vector(4)], [], [[[-1, -0.0, 0, 2]]], [[10, 10, 10, 10]]);

        Assert.Equal([0, 0, 0, 2], result.Output[0]);
        Assert.Equal([0, 0, 0, 10], result.InputGradients[0][0]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Large_numbers_saturate_and_give_no_nonsense(string name)
    {
        double[] x = [-1e30, -100, -20, -9, 9, 20, 100, 1e30];

        LayerCheck.Result result = LayerCheck.Compute(Layers[name], [Shape.Vector(8)], [], [[x]], [[1, 1, 1, 1, 1, 1, 1, 1]]);

        LayerCheck.Near(name, LayerReference.Forward(Layers[name], [Shape.Vector(8)], [x], []), result.Output[0], 1e-6);
        Assert.All(result.InputGradients[0][0], slope => Assert.InRange(slope, 0, 1));
    }

    [Fact]
    public void A_gelu_of_large_numbers_is_the_number_itself_or_nothing()
    {
        double[] x = [-1e30, -100, -20, -6, 6, 20, 100, 1e30];

        LayerCheck.Result result = LayerCheck.Compute(new Gelu(), [Shape.Vector(8)], [], [[x]], [[1, 1, 1, 1, 1, 1, 1, 1]]);

        Assert.All(result.Output[0][..4], y => Assert.InRange(y, -1e-8f, 0));
        Assert.Equal([6, 20, 100, 1e30f], result.Output[0][4..]);
        Assert.All(result.InputGradients[0][0][..4], slope => Assert.InRange(slope, -1e-7f, 0));
        Assert.All(result.InputGradients[0][0][4..], slope => Assert.InRange(slope, 1, 1.0000001f));
    }

    [Fact]
    public void A_leak_that_is_not_above_0_is_refused()
    {
        Assert.Equal("a: the slope is above 0, got -0.1.", Assert.Throws<ShapeException>(() => new LeakyRelu(-0.1f).OutputShape("a", [Shape.Vector(1)])).Message);
        Assert.Equal("a: alpha is above 0, got NaN.", Assert.Throws<ShapeException>(() => new Elu(float.NaN).OutputShape("a", [Shape.Vector(1)])).Message);
    }

    [Fact]
    public void A_softmax_of_large_numbers_does_not_overflow()
    {
        float[] y = LayerCheck.Compute(new Softmax(), [Shape.Vector(3)], [], [[[1e30, 1e30, -1e30]]], [[1, 0, 0]]).Output[0];

        Assert.Equal([0.5f, 0.5f, 0], y.Select(v => v < 1e-30f ? 0 : v));
    }

    [Fact]
    public void Shapes_pass_through_activations_and_a_flattened_image_is_a_vector()
    {
        var image = new Shape(3, 4, 5);

        Assert.Equal(image, new Relu().OutputShape("a", [image]));
        Assert.Equal(Shape.Vector(60), new Flatten().OutputShape("f", [image]));
    }

    [Fact]
    public void A_sum_of_two_shapes_is_refused() => Assert.Equal(
        "join: adds inputs of one shape, got 3x4x5 and 3x5x4.",
        Assert.Throws<ShapeException>(() => new Add().OutputShape("join", [new Shape(3, 4, 5), new Shape(3, 5, 4)])).Message);
}
