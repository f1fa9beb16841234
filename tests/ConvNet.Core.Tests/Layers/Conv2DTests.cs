using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Layers;

public class Conv2DTests
{
    private static readonly Dictionary<string, (Conv2D Layer, Shape Input)> Modes = new()
    {
        ["1×1 on one pixel"] = (new(3, 1), new(2, 1, 1)),
        ["1×1 on an image"] = (new(5, 1), new(4, 3, 5)),
        ["1×1 with stride 2"] = (new(5, 1) { Stride = 2 }, new(3, 5, 6)),
        ["1×1 with stride 3, past the edge"] = (new(2, 1) { Stride = 3 }, new(3, 8, 7)),
        ["3×3 valid"] = (new(4, 3), new(3, 7, 6)),
        ["3×3 same"] = (new(4, 3) { Padding = Padding.Same }, new(3, 5, 6)),
        ["3×3 without bias"] = (new(4, 3) { Bias = false, Padding = 1 }, new(2, 5, 5)),
        ["3×3 with stride 2 valid, past the edge"] = (new(4, 3) { Stride = 2 }, new(2, 8, 6)),
        ["3×3 with stride 2 same, even size"] = (new(4, 3) { Stride = 2, Padding = Padding.Same }, new(2, 6, 8)),
        ["3×3 with stride 2 same, odd size"] = (new(4, 3) { Stride = 2, Padding = Padding.Same }, new(2, 7, 5)),
        ["3×3 with stride 3 same"] = (new(2, 3) { Stride = 3, Padding = Padding.Same }, new(2, 7, 8)),
        ["2×2 with stride 3, pixels nobody sees"] = (new(3, 2) { Stride = 3 }, new(2, 7, 9)),
        ["2×2 same, the odd pixel below and right"] = (new(3, 2) { Padding = Padding.Same }, new(2, 4, 5)),
        ["3×2 window, strides 2 and 1, same"] = (new(3, new Size(3, 2)) { Stride = new Size(2, 1), Padding = Padding.Same }, new(2, 5, 4)),
        ["asymmetric padding"] = (new(3, 3) { Padding = new Padding(false, 0, 1, 2, 0) }, new(2, 4, 5)),
        ["rows padded, columns not"] = (new(3, new Size(3, 1)) { Padding = Padding.Of(1, 0) }, new(2, 4, 3)),
        ["padding beyond the window"] = (new(2, 2) { Padding = 3 }, new(2, 2, 3)),
        ["padding beyond the window with stride 2"] = (new(2, 3) { Padding = 4, Stride = 2 }, new(1, 3, 2)),
        ["a window wider than the image"] = (new(3, 5) { Padding = 2 }, new(2, 2, 1)),
        ["same, a window wider than the image"] = (new(3, 7) { Padding = Padding.Same }, new(2, 3, 4)),
        ["5×5 of LeNet"] = (new(6, 5) { Padding = 2 }, new(1, 8, 8)),
        ["7×7 with stride 2 padding 3"] = (new(3, 7) { Stride = 2, Padding = 3 }, new(2, 9, 9)),
        ["1×9 row window"] = (new(2, new Size(1, 9)) { Padding = Padding.Same }, new(3, 2, 11)),
        ["dilation 2"] = (new(3, 3) { Dilation = 2 }, new(2, 7, 6)),
        ["dilation 2 same"] = (new(3, 3) { Dilation = 2, Padding = Padding.Same }, new(2, 5, 6)),
        ["dilation 2 with stride 2"] = (new(3, 3) { Dilation = 2, Stride = 2, Padding = 2 }, new(2, 7, 8)),
        ["dilation 2 with stride 3"] = (new(3, 3) { Dilation = 2, Stride = 3, Padding = 2 }, new(2, 8, 7)),
        ["dilation 3 by 1, stride 2 by 3"] = (new(2, 3) { Dilation = new Size(3, 1), Stride = new Size(2, 3), Padding = 3 }, new(2, 7, 7)),
        ["2 groups"] = (new(6, 3) { Groups = 2, Padding = 1 }, new(4, 4, 5)),
        ["3 groups with stride 2, without bias"] = (new(9, 3) { Groups = 3, Stride = 2, Padding = Padding.Same, Bias = false }, new(6, 5, 5)),
        ["depthwise"] = (new(5, 3) { Groups = 5, Padding = 1 }, new(5, 5, 4)),
        ["depthwise with stride 2 and dilation 2"] = (new(5, 3) { Groups = 5, Padding = 2, Stride = 2, Dilation = 2 }, new(5, 7, 6)),
        ["depthwise with stride 3 and dilation 2"] = (new(3, 5) { Groups = 3, Padding = Padding.Same, Stride = 3, Dilation = 2 }, new(3, 7, 8)),
        ["depthwise, two outputs a channel"] = (new(8, 3) { Groups = 4 }, new(4, 4, 4)),
        ["one output channel"] = (new(1, 3) { Padding = 1 }, new(17, 4, 4)),
        ["13 output channels, two tiles of rows"] = (new(13, 3), new(2, 4, 7)),
        ["25 output channels, three tiles of rows"] = (new(25, 1), new(3, 2, 3)),
        ["input channels beyond a block of the sum"] = (new(4, 3) { Padding = 1 }, new(37, 3, 3)),
        ["output channels beyond a block of the sum"] = (new(37, 3) { Padding = 1 }, new(4, 3, 3)),
        ["1×1 beyond a block of the sum"] = (new(3, 1), new(259, 1, 2)),
        ["groups beyond a block of the sum"] = (new(6, 5) { Groups = 2, Padding = 2 }, new(66, 2, 3)),
    };

    public static TheoryData<string> ModeNames => [.. Modes.Keys];

    [Theory]
    [MemberData(nameof(ModeNames))]
    public void Output_and_gradients_are_those_of_the_formula(string mode)
    {
        (Conv2D layer, Shape input) = Modes[mode];

        LayerCheck.Run(layer, [input], samples: 17);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(40)]
    public void Any_number_of_samples_will_do_and_empty_lanes_do_not_count(int samples)
    {
        LayerCheck.Run(new Conv2D(5, 3) { Stride = 2, Padding = Padding.Same }, [new Shape(3, 5, 4)], samples);
        LayerCheck.Run(new Conv2D(3, 3) { Groups = 3, Padding = 1 }, [new Shape(3, 4, 4)], samples);
    }

    [Theory]
    [InlineData(3, 7, 6, 4, 5, 4)]
    [InlineData(1, 28, 28, 6, 26, 26)]
    public void A_valid_window_of_3_takes_two_pixels_off_each_axis(int c, int h, int w, int oc, int oh, int ow) =>
        Assert.Equal(new Shape(oc, oh, ow), new Conv2D(oc, 3).OutputShape("conv", [new Shape(c, h, w)]));

    [Fact]
    public void Same_padding_gives_the_size_by_the_stride_rounded_up() =>
        Assert.Equal(new Shape(8, 4, 3), new Conv2D(8, 3) { Stride = 2, Padding = Padding.Same }.OutputShape("conv", [new Shape(1, 7, 6)]));

    [Fact]
    public void Weights_are_out_in_height_width_and_biases_start_at_zero()
    {
        IReadOnlyList<ParameterSpec> parameters = new Conv2D(6, new Size(3, 5)) { Groups = 2 }.Parameters([new Shape(4, 9, 9)]);

        Assert.Equal(["weight", "bias"], parameters.Select(p => p.Suffix));
        Assert.Equal([6, 2, 3, 5], parameters[0].Shape);
        Assert.Equal([6], parameters[1].Shape);
        Assert.Equal((30, 45), (parameters[0].FanIn, parameters[0].FanOut));
        Assert.Equal("zeros", parameters[1].Initializer.Name);
    }

    [Fact]
    public void Multiply_adds_are_outputs_times_the_terms_of_each() =>
        Assert.Equal(6 * 5 * 5 * 2 * 9, new Conv2D(6, 3) { Groups = 2 }.MultiplyAdds([new Shape(4, 7, 7)]));

    public static TheoryData<string, string> Refusals => new()
    {
        { "window", "conv2: a 5×5 window does not fit an input of 6x2x2 with padding valid." },
        { "dilation", "conv2: a 3×3 window with dilation 2 does not fit an input of 6x2x2 with padding 1." },
        { "groups", "conv2: 4 groups do not divide 6 input and 8 output channels." },
        { "group outputs", "conv2: 3 groups do not divide 6 input and 8 output channels." },
        { "no groups", "conv2: takes at least 1 output channel and 1 group, got 8 and 0." },
        { "no outputs", "conv2: takes at least 1 output channel and 1 group, got 0 and 1." },
        { "stride", "conv2: a stride takes at least 1 pixel each way, got 0." },
        { "no window", "conv2: a window takes at least 1 pixel each way, got 3x0." },
        { "no dilation", "conv2: a dilation takes at least 1 pixel each way, got -1." },
        { "padding", "conv2: padding takes at least 0 pixels, got 0,-1,0,0." },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_cannot_be_is_refused_with_the_reason(string what, string message)
    {
        Conv2D layer = what switch
        {
            "window" => new(8, 5),
            "dilation" => new(8, 3) { Dilation = 2, Padding = 1 },
            "groups" => new(8, 1) { Groups = 4 },
            "group outputs" => new(8, 1) { Groups = 3 },
            "no groups" => new(8, 1) { Groups = 0 },
            "no outputs" => new(0, 1),
            "stride" => new(8, 1) { Stride = 0 },
            "no window" => new(8, new Size(3, 0)),
            "no dilation" => new(8, 1) { Dilation = -1 },
            _ => new(8, 1) { Padding = new Padding(false, 0, -1, 0, 0) },
        };

        var refusal = Assert.Throws<ShapeException>(() => layer.OutputShape("conv2", [new Shape(6, 2, 2)]));

        Assert.Equal(message, refusal.Message);
    }
}
