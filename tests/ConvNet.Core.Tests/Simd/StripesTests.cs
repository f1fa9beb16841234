using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Simd;

public sealed unsafe class StripesTests
{
    [Fact]
    public void Sixteen_stripes_are_folded_in_halves()
    {
        using var buffer = Numbers.Uniform(Stripes.Count, seed: 1);
        float[] s = buffer.Span.ToArray();
        for (int half = 8; half >= 1; half /= 2)
        {
            for (int i = 0; i < half; i++)
                s[i] += s[i + half];
        }

        Numbers.AssertSameBits([s[0]], [Stripes.Fold(buffer.Pointer)], "fold");
    }

    [Fact]
    public void Four_sums_at_once_have_the_bits_of_four_sums_one_by_one()
    {
        using var buffer = Numbers.Uniform(4 * Stripes.Count, seed: 1);
        float* sums = stackalloc float[4];

        Stripes.Fold4(buffer.Pointer, sums);

        for (int i = 0; i < 4; i++)
            Numbers.AssertSameBits([Stripes.Fold(buffer.Pointer + (i * Stripes.Count))], [sums[i]], $"sum {i}");
    }
}
