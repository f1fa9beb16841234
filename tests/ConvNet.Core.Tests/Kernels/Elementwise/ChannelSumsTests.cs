using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.Elementwise;

public sealed unsafe class ChannelSumsTests
{
    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sums_give_the_bits_of_the_specification(int width)
    {
        float* stripes = stackalloc float[Stripes.Count];
        for (int channels = 1; channels <= 13; channels++)
        {
            foreach ((int pixels, int blocks) in ((int, int)[])[(1, 1), (1, 3), (49, 2), (100, 1)])
            {
                using AlignedBuffer dy = Numbers.Uniform(blocks * channels * pixels * Stripes.Count, seed: 1), sums = Numbers.Unwritten(channels);
                var expected = new float[channels];
                for (int c = 0; c < channels; c++)
                {
                    new Span<float>(stripes, Stripes.Count).Clear();
                    for (int i = 0; i < blocks * pixels * Stripes.Count; i++)
                    {
                        int lane = i % Stripes.Count, pixel = i / Stripes.Count % pixels, block = i / Stripes.Count / pixels;
                        stripes[lane] += dy.Span[(((((block * channels) + c) * pixels) + pixel) * Stripes.Count) + lane];
                    }

                    expected[c] = Stripes.Fold(stripes);
                }

                Tests.Widths.Run<ChannelSums, ChannelSumArguments>(width, new ChannelSumArguments(dy.Pointer, sums.Pointer, channels, pixels, blocks));

                Numbers.AssertSameBits(expected, sums.Span, $"{channels} channels, {pixels} pixels, {blocks} blocks, width {width}");
            }
        }
    }
}
