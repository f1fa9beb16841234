using System.Runtime.CompilerServices;

namespace ConvNet.Core.Randomness;

/// <summary>Philox 4x32-10: a random number is a function of a key and a counter, and of nothing else.</summary>
/// <remarks>
/// Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". No generator carries hidden state: whoever asks for
/// the number of (seed, purpose, step, element) gets the same one, on any machine, in any order. That is why a crashed worker's
/// micro-batch can be computed again elsewhere with the same dropout mask and the same augmentation.
/// </remarks>
public readonly struct Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    private readonly uint _key0, _key1;

    /// <summary>A stream family for one seed and one purpose; two purposes never share numbers.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="purpose">What the numbers are for.</param>
    /// <param name="stream">Which of several streams of the purpose, in [0, 2²⁴): a layer's number.</param>
    public Philox(ulong seed, Purpose purpose, int stream = 0)
    {
        // The key has 64 bits; the purpose goes into the counter's top word, so no two purposes can meet by a choice of seeds.
        (_key0, _key1) = ((uint)seed, (uint)(seed >> 32));
        Lane = (uint)purpose | ((uint)stream << 8);
    }

    private uint Lane { get; }

    /// <summary>Four words of 32 random bits for <paramref name="index"/> (64 bits) within <paramref name="step"/>.</summary>
    public (uint A, uint B, uint C, uint D) Block(uint step, ulong index) =>
        Block((uint)index, (uint)(index >> 32), step, Lane, _key0, _key1);

    /// <summary>A uniform number in [0, 1) with 24 random bits: k / 2²⁴.</summary>
    public float Uniform(uint step, ulong index) => ToUnit(Block(step, index).A);

    /// <summary>An integer in [0, <paramref name="bound"/>), by multiplying up (the bias is under bound / 2³²).</summary>
    public uint Below(uint bound, uint step, ulong index) => (uint)(((ulong)Block(step, index).A * bound) >> 32);

    /// <summary>The upper 24 bits as a number in [0, 1).</summary>
    public static float ToUnit(uint bits) => (bits >> 8) * (1f / (1 << 24));

    /// <summary>The raw function, as published: counter (4 words) and key (2 words) to 4 words.</summary>
    public static (uint A, uint B, uint C, uint D) Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < Rounds; round++)
        {
            (c0, c1, c2, c3) = Round(c0, c1, c2, c3, k0, k1);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (uint, uint, uint, uint) Round(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        ulong p0 = (ulong)Multiplier0 * c0, p1 = (ulong)Multiplier1 * c2;
        return ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
    }
}
