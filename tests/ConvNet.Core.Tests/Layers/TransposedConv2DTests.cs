using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Layers;

/// <summary>What the formula does not show; its numbers are in <see cref="GradientTests"/>, its sizes in <see cref="ConvolutionArithmeticTests"/>.</summary>
public sealed class TransposedConv2DTests
{
    [Fact]
    public void Each_pixel_puts_its_multiple_of_the_window_and_overlaps_add_up()
    {
        TransposedConv2D layer = new(1, new Size(1, 3)) { Stride = new Size(1, 2), Bias = false };

        float[] y = LayerCheck.Compute(layer, [new Shape(1, 1, 3)], [1, 2, 4], [[[1, 10, 100]]], [[0, 0, 0, 0, 0, 0, 0]]).Output[0];

        Assert.Equal([1, 2, 14, 20, 140, 200, 400], y);
    }

    [Fact]
    public void Pixels_that_no_window_reaches_hold_the_bias()
    {
        TransposedConv2D layer = new(1, 1) { Stride = new Size(1, 3), OutputPadding = new Size(0, 1) };

        float[] y = LayerCheck.Compute(layer, [new Shape(1, 1, 2)], [2, 7], [[[1, 10]]], [[0, 0, 0, 0, 0]]).Output[0];

        Assert.Equal([9, 7, 7, 27, 7], y);
    }

    [Fact]
    public void It_is_the_gradient_by_input_of_the_convolution_with_the_same_weights()
    {
        Conv2D conv = new(3, 3) { Stride = 2, Padding = 1, Bias = false };
        TransposedConv2D back = new(2, 3) { Stride = 2, Padding = 1, OutputPadding = 1, Bias = false };
        var random = new Random(5);
        double[] weights = LayerCheck.Draw(random, 3 * 2 * 9), dy = LayerCheck.Draw(random, 3 * 3 * 3), any = LayerCheck.Draw(random, 2 * 6 * 6);

        float[] gradient = LayerCheck.Compute(conv, [new Shape(2, 6, 6)], weights, [[any]], [dy]).InputGradients[0][0];

        Assert.Equal(gradient, LayerCheck.Compute(back, [new Shape(3, 3, 3)], weights, [[dy]], [any]).Output[0]);
    }

    [Fact]
    public void Weights_are_in_out_height_width_and_fan_in_counts_the_taps_that_meet_in_a_pixel()
    {
        IReadOnlyList<ParameterSpec> parameters = new TransposedConv2D(6, 4) { Groups = 2, Stride = 2 }.Parameters([new Shape(8, 3, 3)]);

        Assert.Equal([8, 3, 4, 4], parameters[0].Shape);
        Assert.Equal([6], parameters[1].Shape);
        Assert.Equal((4 * 4, 3 * 16), (parameters[0].FanIn, parameters[0].FanOut));
    }

    [Fact]
    public void Multiply_adds_are_inputs_times_what_each_goes_into() =>
        Assert.Equal(4 * 3 * 3 * 3 * 9, new TransposedConv2D(6, 3) { Groups = 2 }.MultiplyAdds([new Shape(4, 3, 3)]));

    public static TheoryData<string, string> Refusals => new()
    {
        { "all taken off", "up: padding 2 takes off all of what a 3×3 window makes of an input of 6x2x2." },
        { "groups", "up: 4 groups do not divide 6 input and 8 output channels." },
        { "no outputs", "up: takes at least 1 output channel and 1 group, got 0 and 1." },
        { "stride", "up: a stride takes at least 1 pixel each way, got 0." },
        { "output padding", "up: output padding is at least 0 and below the stride of 2, got 2." },
        { "output padding without stride", "up: output padding is at least 0 and below the stride of 1, got 1." },
        { "same and output padding", "up: padding same gives the size by the stride; leave output padding 1 out." },
        { "negative padding", "up: padding takes at least 0 pixels, got -1." },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_cannot_be_is_refused_with_the_reason(string what, string message)
    {
        TransposedConv2D layer = new(8, 3);
        layer = what switch
        {
            "all taken off" => layer with { Padding = 2 },
            "groups" => layer with { Groups = 4 },
            "no outputs" => layer with { OutChannels = 0 },
            "stride" => layer with { Stride = 0 },
            "output padding" => layer with { Stride = 2, OutputPadding = 2 },
            "output padding without stride" => layer with { OutputPadding = 1 },
            "same and output padding" => layer with { Stride = 2, Padding = Padding.Same, OutputPadding = 1 },
            _ => layer with { Padding = -1 },
        };

        Assert.Equal(message, Assert.Throws<ShapeException>(() => layer.OutputShape("up", [new Shape(6, 2, 2)])).Message);
    }
}
