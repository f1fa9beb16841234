using ConvNet.Core.Layers;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Layers;

/// <summary>The sizes of "A guide to convolution arithmetic for deep learning" (Dumoulin and Visin 2016), for every combination, against windows laid down one by one.</summary>
public sealed class ConvolutionArithmeticTests
{
    private const int Same = -1;

    private static readonly int[] Kernels = [1, 2, 3, 4, 5, 6, 7], Strides = [1, 2, 3, 4], Paddings = [0, 1, 2, 3, Same], Dilations = [1, 2, 3];

    private static IEnumerable<(int Size, int Kernel, int Stride, int Padding, int Dilation)> Table =>
        from size in Enumerable.Range(1, 12)
        from kernel in Kernels
        from stride in Strides
        from padding in Paddings
        from dilation in Dilations
        select (size, kernel, stride, padding, dilation);

    [Theory]
    [InlineData("2.1 no padding, stride 1", 4, 3, 1, 0, 1, 2)]
    [InlineData("2.2 arbitrary padding", 5, 4, 1, 2, 1, 6)]
    [InlineData("2.3 half padding", 5, 3, 1, 1, 1, 5)]
    [InlineData("2.4 full padding", 5, 3, 1, 2, 1, 7)]
    [InlineData("2.5 stride 2", 5, 3, 2, 0, 1, 2)]
    [InlineData("2.6 stride 2, padding", 5, 3, 2, 1, 1, 3)]
    [InlineData("2.7 the same from another size", 6, 3, 2, 1, 1, 3)]
    [InlineData("5.1 dilation", 7, 3, 1, 0, 2, 3)]
    public void A_convolution_of_the_report_gives_its_size(string figure, int size, int kernel, int stride, int padding, int dilation, int expected) =>
        Assert.Equal((figure, expected), (figure, OutputOf(Convolution(kernel, stride, padding, dilation), size)));

    [Theory]
    [InlineData("4.1 of 2.1", 2, 3, 1, 0, 0, 4)]
    [InlineData("4.2 of 2.2", 6, 4, 1, 2, 0, 5)]
    [InlineData("4.3 of 2.3", 5, 3, 1, 1, 0, 5)]
    [InlineData("4.4 of 2.4", 7, 3, 1, 2, 0, 5)]
    [InlineData("4.5 of 2.5", 2, 3, 2, 0, 0, 5)]
    [InlineData("4.6 of 2.6", 3, 3, 2, 1, 0, 5)]
    [InlineData("4.7 of 2.7", 3, 3, 2, 1, 1, 6)]
    public void A_transposed_convolution_of_the_report_gives_its_size(string figure, int size, int kernel, int stride, int padding, int outputPadding, int expected) =>
        Assert.Equal((figure, expected), (figure, OutputOf(Transposed(kernel, stride, padding, 1, outputPadding), size)));

    [Fact]
    public void A_convolution_gives_as_many_outputs_as_windows_fit()
    {
        foreach ((int size, int kernel, int stride, int padding, int dilation) in Table)
            Check(WindowsIn(size, kernel, stride, padding, dilation), OutputOf(Convolution(kernel, stride, padding, dilation), size), (size, kernel, stride, padding, dilation));
    }

    [Fact]
    public void Pooling_gives_as_many_outputs_as_windows_fit_and_takes_no_padding_as_wide_as_its_window()
    {
        foreach ((int size, int kernel, int stride, int padding, _) in Table.Where(t => t.Dilation == 1))
        {
            int expected = padding >= kernel ? 0 : WindowsIn(size, kernel, stride, padding, 1);

            Check(expected, OutputOf(new MaxPool2D(kernel) { Stride = stride, Padding = Of(padding) }, size), (size, kernel, stride, padding, "max"));
            Check(expected, OutputOf(new AveragePool2D(kernel) { Stride = stride, Padding = Of(padding) }, size), (size, kernel, stride, padding, "average"));
        }
    }

    [Fact]
    public void Pooling_in_ceil_mode_goes_on_until_a_window_has_reached_the_end_and_starts_none_beyond_the_image()
    {
        foreach ((int size, int kernel, int stride, int padding, _) in Table.Where(t => t.Dilation == 1))
        {
            int expected = padding >= kernel ? 0 : padding == Same ? WindowsIn(size, kernel, stride, Same, 1) : WindowsToTheEnd(size, kernel, stride, padding);

            Check(expected, OutputOf(new MaxPool2D(kernel) { Stride = stride, Padding = Of(padding), CeilMode = true }, size), (size, kernel, stride, padding, "max"));
            Check(expected, OutputOf(new AveragePool2D(kernel) { Stride = stride, Padding = Of(padding), CeilMode = true }, size), (size, kernel, stride, padding, "average"));
        }
    }

    [Fact]
    public void A_transposed_convolution_covers_what_its_windows_cover()
    {
        foreach ((int size, int kernel, int stride, int padding, int dilation) in Table)
        {
            for (int outputPadding = 0; outputPadding < (padding == Same ? 1 : stride); outputPadding++)
            {
                int expected = padding == Same ? size * stride : Covered(size, kernel, stride, dilation) + outputPadding - (2 * padding);

                Check(Math.Max(0, expected), OutputOf(Transposed(kernel, stride, padding, dilation, outputPadding), size), (size, kernel, stride, padding, dilation, outputPadding));
            }
        }
    }

    [Fact]
    public void A_transposed_convolution_leads_back_to_every_size_that_the_convolution_may_have_come_from()
    {
        foreach ((int size, int kernel, int stride, int padding, int dilation) in Table.Where(t => t.Padding != Same))
        {
            int[] back = [.. Enumerable.Range(0, stride).Select(extra => OutputOf(Transposed(kernel, stride, padding, dilation, extra), size)).Where(s => s > 0)];

            IEnumerable<int> origins = Enumerable.Range(1, 80).Where(s => WindowsIn(s, kernel, stride, padding, dilation) == size);

            Assert.True(origins.SequenceEqual(back), $"{(size, kernel, stride, padding, dilation)}: {string.Join(" ", back)} should be {string.Join(" ", origins)}");
        }
    }

    private static Conv2D Convolution(int kernel, int stride, int padding, int dilation) =>
        new(1, kernel) { Stride = stride, Padding = Of(padding), Dilation = dilation };

    private static TransposedConv2D Transposed(int kernel, int stride, int padding, int dilation, int outputPadding) =>
        new(1, kernel) { Stride = stride, Padding = Of(padding), Dilation = dilation, OutputPadding = outputPadding };

    private static Padding Of(int padding) => padding == Same ? Padding.Same : padding;

    /// <summary>The layer's output for a square image; 0 where it refuses.</summary>
    private static int OutputOf(Layer layer, int size)
    {
        try
        {
            Shape y = layer.OutputShape("layer", [new Shape(1, size, size)]);
            Assert.Equal(y.Height, y.Width);
            return y.Height;
        }
        catch (ShapeException)
        {
            return 0;
        }
    }

    /// <summary>Lays windows down from the first place of the padded line on, as long as their last tap is on it; "same" has one for each stride-th pixel.</summary>
    private static int WindowsIn(int size, int kernel, int stride, int padding, int dilation)
    {
        if (padding == Same)
            return Enumerable.Range(0, size).Count(pixel => pixel % stride == 0);
        int windows = 0;
        for (int start = -padding; start + (dilation * (kernel - 1)) < size + padding; start += stride)
            windows++;
        return windows;
    }

    /// <summary>Lays windows down until one has reached the end of the padded line, or would start beyond the image. The one before the first place counts: where it reaches the end, there is none.</summary>
    private static int WindowsToTheEnd(int size, int kernel, int stride, int padding)
    {
        int windows = 0;
        for (int start = -padding; start < size && start - stride + kernel < size + padding; start += stride)
            windows++;
        return windows;
    }

    /// <summary>Places from the first to the last that a pixel's window touches.</summary>
    private static int Covered(int size, int kernel, int stride, int dilation) =>
        (from pixel in Enumerable.Range(0, size) from tap in Enumerable.Range(0, kernel) select (pixel * stride) + (tap * dilation)).Max() + 1;

    private static void Check(int expected, int actual, object combination) =>
        Assert.True(expected == actual, $"{combination}: {actual}, expected {expected}");
}
