using ConvNet.Core.Randomness;

namespace ConvNet.Data.Digits;

/// <summary>The two halves of the built-in digits.</summary>
public enum DigitSplit
{
    /// <summary>60 000 to learn from.</summary>
    Training = 0,

    /// <summary>10 000 to be measured on.</summary>
    Test = 1,
}

/// <summary>The built-in digits: 28×28 grey images of the ten digits as a pen might write them, drawn by a program. Light on dark, like MNIST.</summary>
/// <remarks>
/// Sample k of a half is a function of (half, k) alone, and made only of operations that are exactly rounded everywhere, so it is the same to the
/// last byte on every machine, for ever; a test holds the hash of them all.
/// </remarks>
public static class DigitSet
{
    /// <summary>Width and height in pixels.</summary>
    public const int Side = 28;

    /// <summary>Training images.</summary>
    public const int TrainingCount = 60_000;

    /// <summary>Test images.</summary>
    public const int TestCount = 10_000;

    /// <summary>Counts the ways in which they have been drawn. Part of the content hash, in place of the pixels.</summary>
    public const int Version = 1;

    private const int Pixels = Side * Side;

    // Changing this, or anything about the drawing, changes what 'digits' means in every job file there is: count the version up.
    private const ulong Seed = 0x636F6E766E6574;

    /// <summary>Draws the first images of a half.</summary>
    /// <param name="split">Which half.</param>
    /// <param name="count">How many.</param>
    /// <param name="maxThreads">Threads to draw on, at most.</param>
    /// <returns>Pixels <c>[N, 1, 28, 28]</c> and labels <c>[N]</c>.</returns>
    public static (byte[] Pixels, byte[] Labels) Draw(DigitSplit split, int count, int maxThreads)
    {
        var pixels = new byte[count * Pixels];
        var labels = new byte[count];
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = maxThreads }, () => new DigitPen(), (i, _, pen) =>
        {
            labels[i] = Draw(split, i, pixels.AsSpan(i * Pixels, Pixels), pen);
            return pen;
        }, _ => { });
        return (pixels, labels);
    }

    private static byte Draw(DigitSplit split, int index, Span<byte> pixels, DigitPen pen)
    {
        var random = new DigitRandom(new Philox(Seed, Purpose.Digits), ((ulong)split << 32) | (uint)index);
        int digit = random.Below(10);
        pen.Write(DigitShapes.Of(digit), ref random, pixels);
        return (byte)digit;
    }
}

/// <summary>The random numbers of one image, one after the other.</summary>
internal ref struct DigitRandom(Philox philox, ulong image)
{
    private uint _block, _b, _c, _d;
    private int _left;

    /// <summary>32 random bits.</summary>
    public uint Next()
    {
        switch (_left)
        {
            case 3:
                _left = 2;
                return _b;
            case 2:
                _left = 1;
                return _c;
            case 1:
                _left = 0;
                return _d;
            default:
                (uint a, _b, _c, _d) = philox.Block(_block++, image);
                _left = 3;
                return a;
        }
    }

    /// <summary>Uniform between two bounds.</summary>
    public float Between(float low, float high) => low + ((high - low) * Philox.ToUnit(Next()));

    /// <summary>Around 0, between −<paramref name="reach"/> and +<paramref name="reach"/>, small ones likelier: the mean of two uniform numbers.</summary>
    public float Around(float reach) => reach * (Philox.ToUnit(Next()) + Philox.ToUnit(Next()) - 1);

    /// <summary>A whole number from 0 up to, without, a bound.</summary>
    public int Below(int bound) => (int)(((ulong)Next() * (uint)bound) >> 32);
}
