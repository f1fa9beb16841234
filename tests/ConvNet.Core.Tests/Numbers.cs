using ConvNet.Core.Memory;
using ConvNet.Core.Randomness;
using CsCheck;

namespace ConvNet.Core.Tests;

/// <summary>Made-up numbers, the same on every run, and comparisons of bits.</summary>
internal static class Numbers
{
    /// <summary>So many numbers in [−1, 1).</summary>
    public static AlignedBuffer Uniform(int length, ulong seed)
    {
        var buffer = new AlignedBuffer(length);
        var random = new Philox(seed, Purpose.Test);
        for (int i = 0; i < length; i++)
            buffer.Span[i] = (2 * random.Uniform(0, (ulong)i)) - 1;
        return buffer;
    }

    /// <summary>So many numbers out of −1, −½, 0, ½, 1: full of ties and zeros.</summary>
    public static AlignedBuffer Coarse(int length, ulong seed)
    {
        var buffer = new AlignedBuffer(length);
        var random = new Philox(seed, Purpose.Test);
        for (int i = 0; i < length; i++)
            buffer.Span[i] = (random.Below(5, 0, (ulong)i) * 0.5f) - 1;
        return buffer;
    }

    /// <summary>A buffer full of NaN, so that a place that was not written shows.</summary>
    public static AlignedBuffer Unwritten(int length)
    {
        var buffer = new AlignedBuffer(length);
        buffer.Span.Fill(float.NaN);
        return buffer;
    }

    /// <summary>The same numbers again.</summary>
    public static AlignedBuffer Copy(AlignedBuffer source)
    {
        var copy = new AlignedBuffer(source.Length);
        source.Span.CopyTo(copy.Span);
        return copy;
    }

    /// <summary>Cases drawn from a generator: always the same ones.</summary>
    public static IEnumerable<T> Cases<T>(Gen<T> gen, int count)
    {
        var random = new PCG(1, 20_260_101UL);
        for (int i = 0; i < count; i++)
            yield return gen.Generate(random, null, out _);
    }

    /// <summary>Fails at the first float whose bits differ; any NaN equals any other.</summary>
    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]) &&
                !(float.IsNaN(expected[i]) && float.IsNaN(actual[i])))
            {
                Assert.Fail($"{what}: element {i} of {expected.Length} should be {expected[i]:R} and is {actual[i]:R}.");
            }
        }
    }

    /// <summary>Fails where a float is further from a double than a share of the greatest of them all.</summary>
    public static void AssertNear(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        double most = 1;
        foreach (double value in expected)
            most = Math.Max(most, Math.Abs(value));
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance * most))
                Assert.Fail($"{what}: element {i} of {expected.Length} should be near {expected[i]:R} and is {actual[i]:R}.");
        }
    }
}
