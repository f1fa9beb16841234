using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Layers;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;
using ConvNet.Core.Tests.Kernels.Convolutions;

namespace ConvNet.Core.Tests.Kernels.Channels;

/// <summary>Convolutions over channel lanes, bit for bit: forward and by input against the specification of those over sample lanes, by weight against their own.</summary>
public sealed unsafe class ChannelConvolutionTests
{
    private const int Samples = 3;

    public static TheoryData<int> Widths => Tests.Widths.All;

    private static IEnumerable<ConvolutionGeometry> Cases => ConvolutionCases.All.Where(g => g.Groups == 1);

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_forward_pass_gives_the_bits_of_sample_lanes(int width)
    {
        foreach (ConvolutionGeometry g in Cases)
        {
            using AlignedBuffer x = Some(g.Input, 1), w = Numbers.Uniform(g.Weights, seed: 2), bias = Numbers.Uniform(Extent.Groups(g.OutChannels) * 16, seed: 3);
            using AlignedBuffer expected = Numbers.Unwritten(g.Output.Elements * 16);
            ConvolutionReference.Forward(g, x.Pointer, w.Pointer, bias.Pointer, expected.Pointer, rectify: true);
            using AlignedBuffer from = OverChannels(x, g.Input), actual = Numbers.Unwritten(Length(g.Output));

            Run(width, ChannelCorrelation.Forward(g), w, from, bias.Pointer, actual, rectify: true);

            AssertSame(expected, actual, g.Output, $"{g}, width {width}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Pixels_with_their_padding_around_give_them_too(int width)
    {
        foreach (ConvolutionGeometry g in Cases.Where(g => g.Columns.Dilation == 1 && g.Input.Channels <= 16))
        {
            var padded = new Shape(g.Input.Channels, g.Input.Height + g.Rows.Before + g.Rows.After, g.Input.Width + g.Columns.Before + g.Columns.After);
            var inside = new ConvolutionGeometry(padded, g.OutChannels, g.Rows with { Before = 0, After = 0 }, g.Columns with { Before = 0, After = 0 }, 1);
            using AlignedBuffer x = Some(g.Input, 1), w = Numbers.Uniform(g.Weights, seed: 2), pixels = Numbers.Unwritten(Samples * padded.Elements);
            using AlignedBuffer expected = Numbers.Unwritten(g.Output.Elements * 16), actual = Numbers.Unwritten(Length(g.Output));
            ConvolutionReference.Forward(g, x.Pointer, w.Pointer, null, expected.Pointer, rectify: false);
            LaneChange.ToPixels(x.Pointer, pixels.Pointer, g.Input, padded, g.Rows.Before, g.Columns.Before, Samples);

            Run(width, ChannelCorrelation.OfPixels(inside), w, pixels, null, actual, rectify: false);

            AssertSame(expected, actual, g.Output, $"{g}, width {width}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_gradient_by_input_gives_the_bits_of_sample_lanes(int width)
    {
        foreach (ConvolutionGeometry g in Cases)
        {
            using AlignedBuffer dy = Some(g.Output, 1), w = Numbers.Uniform(g.Weights, seed: 2), expected = Numbers.Unwritten(g.Input.Elements * 16);
            ConvolutionReference.InputGradient(g, dy.Pointer, w.Pointer, expected.Pointer);
            using AlignedBuffer from = OverChannels(dy, g.Output), actual = Numbers.Unwritten(Length(g.Input));

            Run(width, ChannelCorrelation.InputGradient(g), w, from, null, actual, rectify: false);

            AssertSame(expected, actual, g.Input, $"{g}, width {width}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_gradient_by_weight_gives_the_bits_of_its_specification(int width)
    {
        foreach (ConvolutionGeometry g in Cases)
        {
            using AlignedBuffer x = Some(g.Input, 1), dy = Some(g.Output, 2), from = OverChannels(x, g.Input), gradient = OverChannels(dy, g.Output);
            using AlignedBuffer expected = Numbers.Unwritten(g.Weights), actual = Numbers.Unwritten(g.Weights);
            ChannelReference.WeightGradient(g, Samples, from.Pointer, gradient.Pointer, expected.Pointer);

            var pass = new ChannelWeightGradient(g, pixels: false);
            using AlignedBuffer scratch = Numbers.Unwritten(pass.ScratchLength);
            switch (width)
            {
                case 16: pass.Run<Vector512<float>, Ops512>(Samples, from.Pointer, gradient.Pointer, actual.Pointer, scratch.Pointer); break;
                case 8: pass.Run<Vector256<float>, Ops256>(Samples, from.Pointer, gradient.Pointer, actual.Pointer, scratch.Pointer); break;
                default: pass.Run<Vector128<float>, Ops128>(Samples, from.Pointer, gradient.Pointer, actual.Pointer, scratch.Pointer); break;
            }

            Numbers.AssertSameBits(expected.Span, actual.Span, $"{g}, width {width}");
        }
    }

    [Fact]
    public void Lanes_change_there_and_back()
    {
        foreach (Shape shape in new[] { new Shape(1, 1, 1), new Shape(16, 2, 3), new Shape(37, 3, 2) })
        {
            foreach (int samples in new[] { 1, 3, 16, 21 })
            {
                int length = Extent.Groups(samples) * shape.Elements * 16;
                using AlignedBuffer there = Numbers.Uniform(length, seed: 4), back = Numbers.Unwritten(length);
                using AlignedBuffer between = Numbers.Unwritten(samples * Extent.Groups(shape.Channels) * shape.Pixels * 16);

                LaneChange.ToChannels(there.Pointer, between.Pointer, shape, samples);
                LaneChange.ToSamples(between.Pointer, back.Pointer, shape, samples);

                Assert.DoesNotContain(between.Span.ToArray(), float.IsNaN);
                for (int i = 0; i < length; i++)
                    Assert.Equal((i / (shape.Elements * 16) * 16) + (i % 16) < samples ? there.Span[i] : 0, back.Span[i]);
            }
        }
    }

    /// <summary>Numbers over sample lanes; those beyond the samples are not 0, so that they would show.</summary>
    private static AlignedBuffer Some(Shape shape, ulong seed) => Numbers.Uniform(shape.Elements * 16, seed);

    private static int Length(Shape shape) => Samples * new Extent(shape, Layout.Channels).UnitFloats;

    private static AlignedBuffer OverChannels(AlignedBuffer samples, Shape shape)
    {
        AlignedBuffer channels = Numbers.Unwritten(Length(shape));
        LaneChange.ToChannels(samples.Pointer, channels.Pointer, shape, Samples);
        return channels;
    }

    private static void AssertSame(AlignedBuffer overSamples, AlignedBuffer overChannels, Shape shape, string what)
    {
        for (int sample = 0; sample < Samples; sample++)
        {
            for (int element = 0; element < shape.Elements; element++)
            {
                (int channel, int pixel) = (element / shape.Pixels, element % shape.Pixels);
                float expected = overSamples.Span[(element * 16) + sample];
                float actual = overChannels.Pointer[ChannelReference.At(shape, sample, channel, pixel / shape.Width, pixel % shape.Width)];
                Assert.True(BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(actual), $"{what}: sample {sample}, element {element}: {expected} and {actual}");
            }
        }
    }

    private static void Run(int width, ChannelCorrelation pass, AlignedBuffer w, AlignedBuffer source, float* bias, AlignedBuffer destination, bool rectify)
    {
        using AlignedBuffer packed = Numbers.Unwritten(pass.PackedLength);
        pass.Pack(w.Pointer, packed.Pointer);
        switch (width)
        {
            case 16: pass.Run<Vector512<float>, Ops512>(Samples, packed.Pointer, source.Pointer, bias, destination.Pointer, rectify); break;
            case 8: pass.Run<Vector256<float>, Ops256>(Samples, packed.Pointer, source.Pointer, bias, destination.Pointer, rectify); break;
            default: pass.Run<Vector128<float>, Ops128>(Samples, packed.Pointer, source.Pointer, bias, destination.Pointer, rectify); break;
        }
    }
}
