using ConvNet.Core.Kernels.Normalisation;
using ConvNet.Core.Memory;

namespace ConvNet.Core.Tests.Kernels.Normalisation;

public sealed unsafe class LocalResponseTests
{
    [Theory]
    [InlineData(1, 1, 5, 0.75f)]
    [InlineData(7, 3, 5, 0.75f)]
    [InlineData(7, 35, 5, 0.75f)]
    [InlineData(6, 5, 4, 0.6f)]
    [InlineData(3, 2, 9, 1)]
    public void Every_width_gives_the_bits_of_the_scalar_reference(int channels, int pixels, int size, float beta)
    {
        int length = channels * pixels * 16;
        using AlignedBuffer x = Numbers.Uniform(length, seed: 1), dy = Numbers.Uniform(length, seed: 2);
        float[][] results = [.. new[] { 16, 8, 4 }.Select(width =>
        {
            using AlignedBuffer y = Numbers.Unwritten(length), dx = Numbers.Unwritten(length), scratch = Numbers.Unwritten(LocalResponseArguments.ScratchLength(channels));
            var arguments = new LocalResponseArguments
            {
                X = x.Pointer, Y = y.Pointer, Dy = dy.Pointer, Dx = dx.Pointer, Scratch = scratch.Pointer,
                Channels = channels, Pixels = pixels, Size = size, Share = 0.3f, Beta = beta, K = 2,
            };
            Widths.Run<LocalResponseForward, LocalResponseArguments>(width, arguments);
            Widths.Run<LocalResponseBackward, LocalResponseArguments>(width, arguments);
            return (float[])[.. y.Span, .. dx.Span];
        })];

        if (beta == 0.75f)
            Numbers.AssertSameBits(Forward(x.Span, channels, pixels, size), results[0].AsSpan(0, length), "16 lanes against scalar");
        Numbers.AssertSameBits(results[0], results[1], "8 lanes");
        Numbers.AssertSameBits(results[0], results[2], "4 lanes");
    }

    private static float[] Forward(ReadOnlySpan<float> x, int channels, int pixels, int size)
    {
        var y = new float[x.Length];
        int plane = pixels * 16;
        for (int i = 0; i < y.Length; i++)
        {
            int channel = i / plane;
            float sum = 0;
            for (int c = Math.Max(0, channel - (size / 2)); c < Math.Min(channels, channel + ((size + 1) / 2)); c++)
                sum = MathF.FusedMultiplyAdd(x[(c * plane) + (i % plane)], x[(c * plane) + (i % plane)], sum);
            float root = MathF.Sqrt(MathF.FusedMultiplyAdd(0.3f, sum, 2));
            y[i] = x[i] * (1 / (root * MathF.Sqrt(root)));
        }

        return y;
    }
}
