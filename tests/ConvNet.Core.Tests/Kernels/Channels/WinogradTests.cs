using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Winograd;
using ConvNet.Core.Layers;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Kernels.Channels;

/// <summary>Winograd's method: bit for bit what its specification says on every width, and near the direct sum.</summary>
public sealed unsafe class WinogradTests
{
    private const int Samples = 2;

    private static readonly ConvolutionGeometry[] Cases =
    [
        Of(16, 16, 4, 4, 1, 1),
        Of(17, 33, 7, 9, 1, 1),
        Of(40, 16, 6, 13, 0, 2),
        Of(16, 20, 12, 5, 2, 0),
        Of(16, 16, 22, 23, 1, 1),       // more tiles than are taken together
        Of(272, 16, 4, 4, 1, 1),        // more channels than a block of a sum
        Of(16, 272, 4, 4, 1, 1),
        Of(272, 256, 4, 4, 1, 1),       // weights too large for the caches
        Of(16, 16, 5, 5, 2, 2, 5),
        Of(17, 33, 7, 9, 2, 2, 5),
        Of(40, 16, 6, 13, 0, 4, 5),
        Of(272, 20, 12, 9, 3, 1, 5),
    ];

    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void All_passes_give_the_bits_of_the_specification(int width)
    {
        foreach (ConvolutionGeometry g in Cases)
        {
            Assert.True(WinogradTiling.Suits(g), $"{g}");
            using AlignedBuffer x = Some(g.Input, 1), dy = Some(g.Output, 2), w = Numbers.Uniform(g.Weights, seed: 3), bias = Numbers.Uniform(Extent.Groups(g.OutChannels) * 16, seed: 4);
            using AlignedBuffer y = Numbers.Unwritten(dy.Length), dx = Numbers.Unwritten(x.Length), dw = Numbers.Unwritten(g.Weights);
            using AlignedBuffer expectedY = Numbers.Copy(y), expectedDx = Numbers.Copy(dx), expectedDw = Numbers.Copy(dw);
            var convolution = new WinogradConvolution(g, Samples);
            (WinogradTiling forward, WinogradTiling backward) = convolution.Tilings;
            WinogradReference.Correlate(g, forward, backward: false, Samples, w.Pointer, x.Pointer, bias.Pointer, expectedY.Pointer, rectify: true);
            WinogradReference.Correlate(g, backward, backward: true, Samples, w.Pointer, dy.Pointer, null, expectedDx.Pointer, rectify: false);
            WinogradReference.WeightGradient(g, forward, Samples, x.Pointer, dy.Pointer, expectedDw.Pointer);

            switch (width)
            {
                case 16: Run<Vector512<float>, Ops512>(convolution, x, dy, w, bias, y, dx, dw); break;
                case 8: Run<Vector256<float>, Ops256>(convolution, x, dy, w, bias, y, dx, dw); break;
                default: Run<Vector128<float>, Ops128>(convolution, x, dy, w, bias, y, dx, dw); break;
            }

            AssertSame(expectedY, y, g.Output, $"y of {g}, width {width}");
            AssertSame(expectedDx, dx, g.Input, $"dx of {g}, width {width}");
            Numbers.AssertSameBits(expectedDw.Span, dw.Span, $"dw of {g}, width {width}");
        }
    }

    /// <summary>The layers where it counts, against direct sums in double precision. The direct sums in single precision come some ten times nearer.</summary>
    [Theory]
    [InlineData(64, 64, 28, 3)]
    [InlineData(512, 32, 14, 3)]
    [InlineData(32, 512, 7, 3)]
    [InlineData(64, 192, 27, 5)]
    [InlineData(16, 32, 28, 5)]
    [InlineData(48, 128, 7, 5)]
    public void Rounding_stays_small(int channels, int outChannels, int size, int kernel)
    {
        ConvolutionGeometry g = Of(channels, outChannels, size, size, kernel / 2, kernel / 2, kernel);
        using AlignedBuffer x = Some(g.Input, 1), dy = Some(g.Output, 2), w = Numbers.Uniform(g.Weights, seed: 3);
        using AlignedBuffer y = Numbers.Unwritten(dy.Length), dx = Numbers.Unwritten(x.Length), dw = Numbers.Unwritten(g.Weights);
        var convolution = new WinogradConvolution(g, Samples);
        using AlignedBuffer scratch = new(convolution.ScratchLength);
        convolution.Forward(Samples, w.Pointer, x.Pointer, null, y.Pointer, rectify: false, scratch.Pointer);
        convolution.InputGradient(Samples, w.Pointer, dy.Pointer, dx.Pointer, scratch.Pointer);
        convolution.WeightGradient(Samples, x.Pointer, dy.Pointer, dw.Pointer, scratch.Pointer);
        double[] expectedY = new double[y.Length], expectedDx = new double[dx.Length], expectedDw = new double[dw.Length];
        Direct(g, x, dy, w, expectedY, expectedDx, expectedDw);

        Assert.InRange(Error(expectedY, y), 0, 1e-5);
        Assert.InRange(Error(expectedDx, dx), 0, 1e-5);
        Assert.InRange(Error(expectedDw, dw), 0, 1e-5);
    }

    [Fact]
    public void It_is_for_small_windows_that_move_pixel_by_pixel_over_enough_channels()
    {
        Assert.False(WinogradTiling.Suits(Of(8, 64, 28, 28, 1, 1)));
        Assert.False(WinogradTiling.Suits(Of(64, 64, 2, 2, 1, 1)));
        Assert.False(WinogradTiling.Suits(new(new Shape(64, 28, 28), 64, new(3, Stride: 2), new(3, Stride: 2), 1)));
        Assert.False(WinogradTiling.Suits(new(new Shape(64, 28, 28), 64, new(7), new(7), 1)));
        Assert.False(WinogradTiling.Suits(new(new Shape(64, 28, 28), 64, new(5), new(3), 1)));
        Assert.True(WinogradTiling.Suits(new(new Shape(64, 28, 28), 64, new(5), new(5), 1)));
        Assert.False(WinogradTiling.Suits(new(new Shape(64, 28, 28), 64, new(3), new(3), 2)));
    }

    private static void Run<TVector, TOps>(
        WinogradConvolution convolution, AlignedBuffer x, AlignedBuffer dy, AlignedBuffer w, AlignedBuffer bias, AlignedBuffer y, AlignedBuffer dx, AlignedBuffer dw)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        (WinogradTiling forward, WinogradTiling backward) = convolution.Tilings;
        using AlignedBuffer scratch = Numbers.Unwritten(convolution.ScratchLength);
        convolution.Correlate<TVector, TOps>(forward, false, Samples, w.Pointer, x.Pointer, bias.Pointer, y.Pointer, true, scratch.Pointer);
        scratch.Span.Fill(float.NaN);
        convolution.Correlate<TVector, TOps>(backward, true, Samples, w.Pointer, dy.Pointer, null, dx.Pointer, false, scratch.Pointer);
        scratch.Span.Fill(float.NaN);
        convolution.WeightGradient<TVector, TOps>(Samples, x.Pointer, dy.Pointer, dw.Pointer, scratch.Pointer);
    }

    private static void Direct(ConvolutionGeometry g, AlignedBuffer x, AlignedBuffer dy, AlignedBuffer w, double[] y, double[] dx, double[] dw)
    {
        for (int sample = 0; sample < Samples; sample++)
        {
            for (int weight = 0; weight < g.Weights; weight++)
            {
                int size = g.Rows.Kernel, taps = size * size;
                (int kw, int kh, int c, int oc) = (weight % size, weight / size % size, weight / taps % g.Input.Channels, weight / taps / g.Input.Channels);
                for (int pixel = 0; pixel < g.Output.Pixels; pixel++)
                {
                    (int oh, int ow) = (pixel / g.Output.Width, pixel % g.Output.Width);
                    (int h, int v) = (g.Rows.Source(oh, kh), g.Columns.Source(ow, kw));
                    if (!g.Input.Holds(h, v))
                        continue;
                    int from = (int)ChannelReference.At(g.Input, sample, c, h, v), to = (int)ChannelReference.At(g.Output, sample, oc, oh, ow);
                    y[to] += (double)w.Pointer[weight] * x.Pointer[from];
                    dx[from] += (double)w.Pointer[weight] * dy.Pointer[to];
                    dw[weight] += (double)x.Pointer[from] * dy.Pointer[to];
                }
            }
        }
    }

    /// <summary>The greatest difference, as a share of the greatest number.</summary>
    private static double Error(double[] expected, AlignedBuffer actual)
    {
        double scale = expected.Max(Math.Abs), error = 0;
        for (int i = 0; i < expected.Length; i++)
            error = Math.Max(error, Math.Abs(expected[i] - actual.Span[i]));
        return error / scale;
    }

    private static void AssertSame(AlignedBuffer expected, AlignedBuffer actual, Shape shape, string what)
    {
        for (int place = 0; place < Samples * shape.Elements; place++)
        {
            (int sample, int channel, int pixel) = (place / shape.Elements, place % shape.Elements / shape.Pixels, place % shape.Pixels);
            nint at = ChannelReference.At(shape, sample, channel, pixel / shape.Width, pixel % shape.Width);
            Assert.True(
                BitConverter.SingleToInt32Bits(expected.Pointer[at]) == BitConverter.SingleToInt32Bits(actual.Pointer[at]), $"{what}: {place}: {expected.Pointer[at]} and {actual.Pointer[at]}");
        }
    }

    /// <summary>Numbers over channel lanes; channels that fill up are 0.</summary>
    private static AlignedBuffer Some(Shape shape, ulong seed)
    {
        var buffer = new AlignedBuffer(Samples * new Extent(shape, Layout.Channels).UnitFloats);
        using AlignedBuffer numbers = Numbers.Uniform(Samples * shape.Elements, seed);
        for (int place = 0; place < numbers.Length; place++)
        {
            (int sample, int channel, int pixel) = (place / shape.Elements, place % shape.Elements / shape.Pixels, place % shape.Pixels);
            buffer.Pointer[ChannelReference.At(shape, sample, channel, pixel / shape.Width, pixel % shape.Width)] = numbers.Span[place];
        }

        return buffer;
    }

    private static ConvolutionGeometry Of(int channels, int outChannels, int height, int width, int before, int after, int kernel = 3)
    {
        var window = new Window(kernel, Before: before, After: after);
        return new(new Shape(channels, height, width), outChannels, window, window, 1);
    }
}
