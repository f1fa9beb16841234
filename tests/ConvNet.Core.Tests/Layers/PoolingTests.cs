using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Layers;

public class PoolingTests
{
    private static readonly Dictionary<string, (Size Kernel, Size Stride, Padding Padding, Shape Input)> Modes = new()
    {
        ["2×2 that tile the image"] = (2, 2, 0, new(3, 6, 4)),
        ["2×2, an odd row and column left over"] = (2, 2, 0, new(3, 5, 7)),
        ["2×2, an odd row left over"] = (2, 2, 0, new(2, 5, 6)),
        ["2×2, an odd column left over"] = (2, 2, 0, new(2, 4, 7)),
        ["2×2 same, the last windows past the edge"] = (2, 2, Padding.Same, new(2, 5, 7)),
        ["3×3 with stride 2, overlapping"] = (3, 2, 0, new(2, 7, 9)),
        ["3×3 with stride 2 padding 1"] = (3, 2, 1, new(2, 7, 8)),
        ["3×3 with stride 2 same"] = (3, 2, Padding.Same, new(2, 6, 7)),
        ["3×3 with stride 1 same"] = (3, 1, Padding.Same, new(2, 4, 5)),
        ["stride beyond the window"] = (2, 3, 0, new(2, 8, 6)),
        ["stride beyond the window, padded"] = (2, 3, 1, new(2, 6, 7)),
        ["1×1 with stride 2"] = (1, 2, 0, new(2, 5, 4)),
        ["rows only"] = (new Size(3, 1), new Size(2, 1), Padding.Of(1, 0), new(2, 6, 3)),
        ["2×3 with strides 1 and 2"] = (new Size(2, 3), new Size(1, 2), 0, new(2, 4, 7)),
        ["asymmetric padding"] = (3, 2, new Padding(false, 0, 1, 2, 0), new(2, 5, 6)),
        ["the whole image"] = (new Size(4, 5), 1, 0, new(3, 4, 5)),
        ["a window wider than the padded image sees it all"] = (5, 1, 2, new(2, 2, 1)),
        ["one pixel"] = (1, 1, 0, new(1, 1, 1)),
    };

    public static TheoryData<string> ModeNames => [.. Modes.Keys];

    [Theory]
    [MemberData(nameof(ModeNames))]
    public void A_maximum_and_its_gradients_are_those_of_the_formula(string mode)
    {
        (Size kernel, Size stride, Padding padding, Shape input) = Modes[mode];

        LayerCheck.Run(new MaxPool2D(kernel) { Stride = stride, Padding = padding }, [input], samples: 17);
    }

    [Theory]
    [MemberData(nameof(ModeNames))]
    public void A_mean_of_the_pixels_that_are_there_and_its_gradients_are_those_of_the_formula(string mode)
    {
        (Size kernel, Size stride, Padding padding, Shape input) = Modes[mode];

        LayerCheck.Run(new AveragePool2D(kernel) { Stride = stride, Padding = padding }, [input], samples: 17);
    }

    [Theory]
    [MemberData(nameof(ModeNames))]
    public void A_mean_that_counts_padding_as_zeros_and_its_gradients_are_those_of_the_formula(string mode)
    {
        (Size kernel, Size stride, Padding padding, Shape input) = Modes[mode];

        LayerCheck.Run(new AveragePool2D(kernel) { Stride = stride, Padding = padding, CountPadding = true }, [input], samples: 17);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(40)]
    public void Any_number_of_samples_will_do(int samples)
    {
        LayerCheck.Run(new MaxPool2D(3) { Stride = 2, Padding = 1 }, [new Shape(2, 5, 5)], samples);
        LayerCheck.Run(new AveragePool2D(3) { Stride = 2, Padding = 1 }, [new Shape(2, 5, 5)], samples);
    }

    [Fact]
    public void The_stride_is_the_window_unless_given()
    {
        Assert.Equal(new Size(3, 2), new MaxPool2D(new Size(3, 2)).Stride);
        Assert.Equal(new Size(3, 2), new AveragePool2D(new Size(3, 2)).Stride);
    }

    [Fact]
    public void Of_equal_maxima_the_first_row_by_row_gets_the_gradient()
    {
        double[] x = [1, 7, 7, 2, /**/ 7, 0, 7, 7];

        float[] dx = LayerCheck.Compute(new MaxPool2D(2), [new Shape(1, 2, 4)], [], [[x]], [[5, 3]]).InputGradients[0][0];

        Assert.Equal([0, 5, 3, 0, 0, 0, 0, 0], dx);
    }

    [Fact]
    public void Padding_never_wins_a_maximum()
    {
        float[] y = LayerCheck.Compute(new MaxPool2D(3) { Stride = 1, Padding = 1 }, [new Shape(1, 1, 2)], [], [[[-4, -3]]], [[1, 1]]).Output[0];

        Assert.Equal([-3, -3], y);
    }

    [Fact]
    public void A_padded_mean_worked_by_hand()
    {
        double[] x = [2, 4, /**/ 6, 8];
        AveragePool2D layer = new(2) { Stride = 2, Padding = 1 };

        Assert.Equal([2, 4, 6, 8], LayerCheck.Compute(layer, [new Shape(1, 2, 2)], [], [[x]], [[0, 0, 0, 0]]).Output[0]);
        Assert.Equal([0.5f, 1, 1.5f, 2], LayerCheck.Compute(layer with { CountPadding = true }, [new Shape(1, 2, 2)], [], [[x]], [[0, 0, 0, 0]]).Output[0]);
    }

    [Fact]
    public void In_ceil_mode_padding_counts_in_a_mean_but_what_is_beyond_it_does_not()
    {
        double[] x = [2, 4, 6, 9];
        AveragePool2D layer = new(new Size(1, 3)) { Stride = new Size(1, 3), Padding = Padding.Of(0, 1), CeilMode = true };

        Assert.Equal([3, 7.5f], LayerCheck.Compute(layer, [new Shape(1, 1, 4)], [], [[x]], [[0, 0]]).Output[0]);
        Assert.Equal([2, 5], LayerCheck.Compute(layer with { CountPadding = true }, [new Shape(1, 1, 4)], [], [[x]], [[0, 0]]).Output[0]);
        Assert.Equal([4, 6], LayerCheck.Compute(layer with { Padding = Padding.Valid, CountPadding = true }, [new Shape(1, 1, 4)], [], [[[2, 4, 6, 6]]], [[0, 0]]).Output[0]);
    }

    [Fact]
    public void A_window_that_does_not_fit_is_refused()
    {
        string expected = "pool1: a 2×2 window does not fit an input of 6x1x3 with padding valid.";

        Assert.Equal(expected, Assert.Throws<ShapeException>(() => new MaxPool2D(2).OutputShape("pool1", [new Shape(6, 1, 3)])).Message);
        Assert.Equal(expected, Assert.Throws<ShapeException>(() => new AveragePool2D(2).OutputShape("pool1", [new Shape(6, 1, 3)])).Message);
    }

    [Fact]
    public void Padding_so_wide_that_a_window_could_see_no_pixel_is_refused()
    {
        string expected = "pool1: padding 2 is not smaller than the 2×2 window, so a window could see no pixel.";

        Assert.Equal(expected, Assert.Throws<ShapeException>(() => new MaxPool2D(2) { Padding = 2 }.OutputShape("pool1", [new Shape(6, 4, 4)])).Message);
        Assert.Equal(expected, Assert.Throws<ShapeException>(() => new AveragePool2D(2) { Padding = 2 }.OutputShape("pool1", [new Shape(6, 4, 4)])).Message);
    }
}
