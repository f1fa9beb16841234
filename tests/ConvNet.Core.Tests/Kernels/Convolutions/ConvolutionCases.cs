using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Tensors;
using CsCheck;

namespace ConvNet.Core.Tests.Kernels.Convolutions;

/// <summary>Convolutions to try: the corners by hand, the rest by chance (the same ones on every run).</summary>
internal static class ConvolutionCases
{
    public static IEnumerable<ConvolutionGeometry> All => [.. Corners, .. Numbers.Cases(Random, 60).Where(Fits)];

    private static readonly ConvolutionGeometry[] Corners =
    [
        Of(new(1, 1, 1), 1, new(1)),
        Of(new(1, 28, 28), 6, new(5, Before: 2, After: 2)),                       // LeNet's first layer
        Of(new(6, 14, 14), 16, new(5)),                                           // and its second
        Of(new(3, 7, 11), 13, new(3, Before: 1, After: 1)),
        Of(new(20, 5, 5), 7, new(3, Before: 1, After: 1)),                        // more channels than a sum block of 16
        Of(new(37, 4, 6), 40, new(3, Before: 1, After: 1)),
        Of(new(300, 2, 3), 5, new(1)),                                            // more than a block of 256, both ways
        Of(new(5, 3, 2), 300, new(1)),
        Of(new(2, 9, 9), 3, new(2, Stride: 3)),                                   // stride past the window: pixels nobody looks at
        Of(new(2, 10, 8), 3, new(3, Stride: 5, Before: 1)),
        Of(new(2, 4, 4), 3, new(1, Stride: 7)),                                   // stride past the image
        Of(new(2, 8, 8), 3, new(3, Stride: 2)),                                   // the last pixel is left out
        Of(new(2, 5, 5), 4, new(3, Before: 2)),                                   // asymmetric
        Of(new(2, 5, 5), 4, new(4, Stride: 2, After: 3)),
        Of(new(2, 3, 3), 4, new(2, Before: 2, After: 3)),                         // padding as wide as the window and wider: places that see nothing
        Of(new(1, 2, 2), 4, new(3, Stride: 2, Before: 4, After: 4)),
        Of(new(2, 9, 9), 3, new(3, Before: 2, After: 2, Dilation: 2)),
        Of(new(1, 9, 9), 3, new(3, Stride: 2, Before: 3, After: 3, Dilation: 3)),
        Of(new(1, 3, 3), 2, new(3, Before: 4, After: 4, Dilation: 4)),            // never two taps inside at once
        Of(new(6, 6, 6), 4, new(3, Before: 1, After: 1), groups: 2),
        Of(new(8, 7, 7), 8, new(3, Before: 1, After: 1), groups: 8),              // depthwise
        Of(new(5, 6, 6), 15, new(3, Stride: 2, Before: 1, After: 1), groups: 5),
        new(new(3, 6, 9), 5, new(1), new(7, Before: 3, After: 3), 1),             // a row of seven, then a column
        new(new(1, 9, 6), 5, new(7, Before: 3, After: 3), new(1), 1),
        new(new(3, 12, 5), 2, new(8, Stride: 4, Before: 2), new(2, Dilation: 3), 1),
        Of(new(3, 19, 19), 13, new(11, Stride: 4, Before: 2, After: 2)),          // AlexNet's first window
    ];

    private static Gen<ConvolutionGeometry> Random =>
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 6], Gen.Int[1, 6], Gen.Int[1, 11], Gen.Int[1, 11], Axis, Axis,
            (groups, inputs, outputs, height, width, rows, columns) =>
                new ConvolutionGeometry(new Shape(groups * inputs, height, width), groups * outputs, rows, columns, groups));

    private static Gen<Window> Axis =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 4], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[1, 3],
            (kernel, stride, before, after, dilation) => new Window(kernel, stride, before, after, dilation));

    private static ConvolutionGeometry Of(Shape input, int outChannels, Window window, int groups = 1) => new(input, outChannels, window, window, groups);

    private static bool Fits(ConvolutionGeometry g) => g.Output is { Height: > 0, Width: > 0 };
}
