using ConvNet.Core.Kernels.Pooling;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;
using CsCheck;

namespace ConvNet.Core.Tests.Kernels.Pooling;

public sealed unsafe class PoolingTests
{
    private const int Planes = 2;

    private sealed record Case(int Height, int Width, Window Rows, Window Columns);

    private static readonly Case[] Corners =
    [
        Of(1, 1, new(1)),
        Of(28, 28, new(2, Stride: 2)),                              // LeNet: the windows tile the image
        Of(13, 13, new(3, Stride: 2)),                              // AlexNet: overlap
        Of(7, 7, new(2, Stride: 2)),                                // the last row and column are left out
        Of(7, 9, new(2, Stride: 3)),                                // gaps between windows
        Of(8, 8, new(3, Stride: 2, Before: 1, After: 1)),           // ResNet
        Of(5, 5, new(3, Before: 1, After: 1)),
        Of(6, 6, new(2, Stride: 2, Before: 1, After: 1)),
        Of(5, 4, new(2, Stride: 2, After: 3)),                      // windows that see nothing but padding
        Of(2, 2, new(2, Before: 2, After: 2)),
        Of(9, 9, new(3, Before: 2, After: 2, Dilation: 2)),
        Of(2, 2, new(2, Before: 1, After: 4, Dilation: 5)),         // taps on both sides of the image, none inside
        Of(9, 9, new(2, Stride: 4, Dilation: 3)),
        Of(6, 8, new Window(3, Stride: 2).RoundedUp(6)),            // GoogLeNet: the last windows reach over the edge
        Of(4, 4, new Window(2, Stride: 3, Before: 1, After: 1).RoundedUp(4)),
        Of(5, 5, new Window(4, Stride: 4, Before: 1, After: 1).RoundedUp(5)),
        Of(2, 2, new Window(3, Stride: 2).RoundedUp(2)),
        Of(7, 7, new(7)),                                           // global
        new(5, 8, new(1), new(4, Stride: 4)),
    ];

    public static TheoryData<int> Widths => Tests.Widths.All;

    private static IEnumerable<Case> Cases => [.. Corners, .. Numbers.Cases(Random, 60).Where(c => c.Rows.Slide(c.Height) > 0 && c.Columns.Slide(c.Width) > 0)];

    private static Gen<Case> Random => Gen.Select(Gen.Int[1, 9], Gen.Int[1, 9], Axis, Axis, (h, w, rows, columns) => new Case(h, w, rows, columns));

    private static Gen<Window> Axis =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[1, 3],
            (kernel, stride, before, after, dilation) => new Window(kernel, stride, before, after, dilation));

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_maximum_and_its_gradient_give_the_bits_of_the_specification(int width)
    {
        foreach (Case c in Cases)
        {
            using AlignedBuffer x = Numbers.Coarse(Inputs(c), seed: 1), dy = Numbers.Uniform(Outputs(c), seed: 2);
            using AlignedBuffer expectedY = Numbers.Unwritten(dy.Length), y = Numbers.Unwritten(dy.Length);
            using AlignedBuffer expectedDx = Numbers.Unwritten(x.Length), dx = Numbers.Unwritten(x.Length);
            PoolingArguments expected = Arguments(c, x, expectedY, dy, expectedDx), actual = Arguments(c, x, y, dy, dx);

            PoolingReference.MaxForward(in expected);
            PoolingReference.MaxBackward(in expected);
            Tests.Widths.Run<MaxPoolingForward, PoolingArguments>(width, in actual);
            Tests.Widths.Run<MaxPoolingBackward, PoolingArguments>(width, in actual);

            Numbers.AssertSameBits(expectedY.Span, y.Span, $"y of {c}, width {width}");
            Numbers.AssertSameBits(expectedDx.Span, dx.Span, $"dx of {c}, width {width}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_average_and_its_gradient_give_the_bits_of_the_specification(int width)
    {
        foreach (Case c in Cases)
        {
            foreach (bool countPadding in (bool[])[false, true])
            {
                using AlignedBuffer x = Numbers.Uniform(Inputs(c), seed: 1), dy = Numbers.Uniform(Outputs(c), seed: 2);
                using AlignedBuffer expectedY = Numbers.Unwritten(dy.Length), y = Numbers.Unwritten(dy.Length);
                using AlignedBuffer expectedDx = Numbers.Unwritten(x.Length), dx = Numbers.Unwritten(x.Length);
                PoolingArguments expected = Arguments(c, x, expectedY, dy, expectedDx, countPadding), actual = Arguments(c, x, y, dy, dx, countPadding);

                PoolingReference.AverageForward(in expected);
                PoolingReference.AverageBackward(in expected);
                Tests.Widths.Run<AveragePoolingForward, PoolingArguments>(width, in actual);
                Tests.Widths.Run<AveragePoolingBackward, PoolingArguments>(width, in actual);

                Numbers.AssertSameBits(expectedY.Span, y.Span, $"y of {c}, padding counts {countPadding}, width {width}");
                Numbers.AssertSameBits(expectedDx.Span, dx.Span, $"dx of {c}, padding counts {countPadding}, width {width}");
            }
        }
    }

    [Fact]
    public void Of_two_equal_maxima_the_first_gets_the_gradient()
    {
        using var x = new AlignedBuffer(4 * Stripes.Count);
        using var y = new AlignedBuffer(Stripes.Count);
        using var dy = new AlignedBuffer(Stripes.Count);
        using AlignedBuffer dx = Numbers.Unwritten(4 * Stripes.Count);
        x.Span[Stripes.Count] = x.Span[2 * Stripes.Count] = 5;     // places (0, 1) and (1, 0) of sample 0
        dy.Span[0] = 3;
        var p = new PoolingArguments(x.Pointer, y.Pointer, dy.Pointer, dx.Pointer, 1, 2, 2, new Window(2), new Window(2));

        Widest.Run<MaxPoolingForward, PoolingArguments>(in p);
        Widest.Run<MaxPoolingBackward, PoolingArguments>(in p);

        Assert.Equal(5, y.Span[0]);
        Assert.Equal([0, 3, 0, 0], (float[])[dx.Span[0], dx.Span[16], dx.Span[32], dx.Span[48]]);
    }

    private static Case Of(int height, int width, Window window) => new(height, width, window, window);

    private static int Inputs(Case c) => Planes * c.Height * c.Width * Stripes.Count;

    private static int Outputs(Case c) => Planes * c.Rows.Slide(c.Height) * c.Columns.Slide(c.Width) * Stripes.Count;

    private static PoolingArguments Arguments(Case c, AlignedBuffer x, AlignedBuffer y, AlignedBuffer dy, AlignedBuffer dx, bool countPadding = false) =>
        new(x.Pointer, y.Pointer, dy.Pointer, dx.Pointer, Planes, c.Height, c.Width, c.Rows, c.Columns, countPadding);
}
