using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Layers;

public class FullyConnectedTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 3)]
    [InlineData(16, 12)]
    [InlineData(17, 13)]
    [InlineData(31, 25)]
    [InlineData(33, 1)]
    [InlineData(257, 3)]
    [InlineData(3, 257)]
    [InlineData(520, 2)]
    public void Output_and_gradients_are_those_of_the_formula(int inputs, int outputs)
    {
        LayerCheck.Run(new FullyConnected(outputs), [Shape.Vector(inputs)], samples: 17);
        LayerCheck.Run(new FullyConnected(outputs) { Bias = false }, [Shape.Vector(inputs)], samples: 3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(40)]
    [InlineData(70)]
    public void Any_number_of_samples_will_do_and_empty_lanes_do_not_count(int samples) =>
        LayerCheck.Run(new FullyConnected(14), [Shape.Vector(21)], samples);

    [Fact]
    public void An_image_is_read_as_channels_then_rows_then_columns() =>
        LayerCheck.Run(new FullyConnected(7), [new Shape(3, 4, 5)], samples: 17);

    [Fact]
    public void Weights_are_out_in_and_the_bias_is_one_a_output()
    {
        IReadOnlyList<ParameterSpec> parameters = new FullyConnected(7).Parameters([new Shape(3, 4, 5)]);

        Assert.Equal([7, 60], parameters[0].Shape);
        Assert.Equal([7], parameters[1].Shape);
        Assert.Equal((60, 7), (parameters[0].FanIn, parameters[0].FanOut));
        Assert.Single(new FullyConnected(7) { Bias = false }.Parameters([new Shape(3, 4, 5)]));
        Assert.Equal(420, new FullyConnected(7).MultiplyAdds([new Shape(3, 4, 5)]));
    }

    [Fact]
    public void No_outputs_are_refused() => Assert.Equal(
        "fc3: takes at least 1 output, got 0.",
        Assert.Throws<ShapeException>(() => new FullyConnected(0).OutputShape("fc3", [Shape.Vector(4)])).Message);
}
