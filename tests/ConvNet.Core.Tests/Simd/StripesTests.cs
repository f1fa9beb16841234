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
}
