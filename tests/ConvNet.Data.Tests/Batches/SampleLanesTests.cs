using ConvNet.Core.Tensors;
using ConvNet.Data.Batches;

namespace ConvNet.Data.Tests.Batches;

public sealed class SampleLanesTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(1, 28, 28, 32)]
    [InlineData(3, 5, 7, 33)]
    [InlineData(2, 3, 1, 15)]
    [InlineData(1, 4, 4, 8)]
    [InlineData(2, 33, 33, 20)]
    public void Sample_s_is_lane_s_mod_16_of_block_s_div_16_normalised(int channels, int height, int width, int count)
    {
        var shape = new Shape(channels, height, width);
        var pixels = new byte[50 * shape.Elements];
        new Random(1).NextBytes(pixels);
        var data = new DataSet("x", shape, pixels, [.. Enumerable.Range(0, 50).Select(i => (byte)(i % 7))], [.. Enumerable.Range(0, 7).Select(i => $"{i}")]);
        Normalisation normalisation = Normalisation.Of(data);
        int[] samples = [.. Enumerable.Range(0, count).Select(i => (i * 37) % 50)];
        int blocks = (count + 15) / 16;
        var input = new float[blocks * shape.Elements * 16];
        var labels = new int[blocks * 16];
        Array.Fill(input, float.NaN);

        SampleLanes.Fill(data, samples, normalisation, input, labels);

        for (int s = 0; s < blocks * 16; s++)
        {
            Assert.Equal(s < count ? data.Label(samples[s]) : -1, labels[s]);
            for (int f = 0; f < shape.Elements; f++)
            {
                int channel = f / shape.Pixels;
                float expected = s < count
                    ? MathF.FusedMultiplyAdd(data.Pixels(samples[s])[f], normalisation.Scale(channel), normalisation.Shift(channel))
                    : 0;
                Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(input[(((s / 16 * shape.Elements) + f) * 16) + (s % 16)]));
            }
        }
    }
}
