using ConvNet.Core.Tensors;
using CsCheck;

namespace ConvNet.Core.Tests.Tensors;

public sealed class WindowTests
{
    private static readonly Gen<(Window Window, int Size)> Axes =
        Gen.Select(Gen.Int[1, 7], Gen.Int[1, 6], Gen.Int[0, 8], Gen.Int[0, 8], Gen.Int[1, 4], Gen.Int[1, 25],
            (kernel, stride, before, after, dilation, size) => (new Window(kernel, stride, before, after, dilation), size));

    [Theory]
    [InlineData(28, 5, 1, 2, 2, 1, 28)]
    [InlineData(14, 5, 1, 0, 0, 1, 10)]
    [InlineData(227, 11, 4, 0, 0, 1, 55)]
    [InlineData(224, 7, 2, 3, 3, 1, 112)]
    [InlineData(7, 3, 1, 2, 2, 2, 7)]
    [InlineData(2, 3, 1, 0, 0, 1, 0)]
    public void Sizes_are_those_of_the_textbook(int size, int kernel, int stride, int before, int after, int dilation, int expected) =>
        Assert.Equal(expected, new Window(kernel, stride, before, after, dilation).Slide(size));

    [Fact]
    public void A_window_slides_as_far_as_all_of_it_stays_within_the_padded_image()
    {
        foreach ((Window window, int size) in Numbers.Cases(Axes, 3000))
        {
            int places = 0;
            while (window.Source(places, window.Kernel - 1) <= size + window.After - 1)
                places++;

            Assert.Equal(places, window.Slide(size));
        }
    }

    [Fact]
    public void Rounded_up_a_window_is_taken_as_long_as_it_starts_inside_the_image_or_the_padding_before()
    {
        foreach ((Window window, int size) in Numbers.Cases(Axes, 3000))
        {
            if (window.Slide(size) < 1)
                continue;
            int places = window.Slide(size);
            while ((places - 1) * window.Stride < size + window.Before + window.After - window.Extent && places * window.Stride < size + window.Before)
                places++;

            Window rounded = window.RoundedUp(size);

            Assert.Equal(places, rounded.Slide(size));
            Assert.Equal(window with { Overhang = rounded.Overhang }, rounded);
        }
    }

    [Theory]
    [InlineData(112, 3, 2, 56)]    // GoogLeNet's pools
    [InlineData(56, 3, 2, 28)]
    [InlineData(14, 3, 2, 7)]
    [InlineData(13, 3, 2, 6)]
    public void Sizes_rounded_up_are_those_of_the_paper(int size, int kernel, int stride, int expected) =>
        Assert.Equal(expected, new Window(kernel, stride).RoundedUp(size).Slide(size));

    [Fact]
    public void A_tap_is_inside_exactly_where_its_source_is_a_pixel()
    {
        foreach ((Window window, int size) in Numbers.Cases(Axes, 3000))
        {
            int outputs = window.Slide(size);
            for (int k = 0; k < window.Kernel; k++)
            {
                (int first, int end) = window.InsideOf(k, size, outputs);

                Assert.InRange(first, 0, outputs);
                Assert.InRange(end, first, outputs);
                for (int o = 0; o < outputs; o++)
                {
                    int source = (o * window.Stride) + (k * window.Dilation) - window.Before;
                    Assert.Equal(source >= 0 && source < size, o >= first && o < end);
                }
            }
        }
    }
}
