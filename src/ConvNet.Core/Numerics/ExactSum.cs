using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ConvNet.Core.Numerics;

/// <summary>A sum of numbers of at least 0 that is not rounded: the same whatever the order in which they come, and however they are grouped.</summary>
/// <remarks>
/// <para>A fixed-point number of 640 bits, the lowest of which stands for 2⁻²⁹⁸: the square of the smallest float. So sums of squares of floats fit in it,
/// 2³² times over. Kulisch and Miranker 1986, "The arithmetic of the digital computer".</para>
/// <para>This is what makes the norm of a gradient independent of how the parameters are cut into shards.</para>
/// </remarks>
public struct ExactSum
{
    /// <summary>32-bit words that a sum is written to and read from.</summary>
    public const int Words = 2 * Limbs;

    private const int Limbs = 10, LowestExponent = -298;

    private Bits _bits;
    private bool _isNotFinite;

    /// <summary>Adds a number. One that is not finite makes the sum NaN for good.</summary>
    /// <param name="value">At least 0, at most 2³⁰⁰, and a multiple of 2⁻²⁹⁸: such as a rounded sum of squares of floats.</param>
    public void Add(double value)
    {
        if (value == 0)
            return;
        if (!double.IsFinite(value))
        {
            _isNotFinite = true;
            return;
        }

        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        ulong mantissa = (bits & 0xFFFFFFFFFFFFF) | (1UL << 52);
        int place = (int)(bits >> 52) - 1075 - LowestExponent;   // of the mantissa's lowest bit; the sign bit is 0
        if (place < 0)
        {
            // What lies below the lowest bit is 0 by what is asked of the value.
            mantissa >>= -place;
            place = 0;
        }

        var shifted = (UInt128)mantissa << (place & 63);
        AddAt(place >> 6, (ulong)shifted, (ulong)(shifted >> 64));
    }

    /// <summary>Adds another sum.</summary>
    public void Add(in ExactSum other)
    {
        ulong carry = 0;
        for (int i = 0; i < Limbs; i++)
        {
            UInt128 sum = (UInt128)_bits[i] + other._bits[i] + carry;
            (_bits[i], carry) = ((ulong)sum, (ulong)(sum >> 64));
        }

        _isNotFinite |= other._isNotFinite;
    }

    /// <summary>The sum, rounded once to the nearest double; NaN where a number that was added was not finite.</summary>
    public readonly double Value
    {
        get
        {
            if (_isNotFinite)
                return double.NaN;
            int top = Limbs - 1;
            while (top >= 0 && _bits[top] == 0)
                top--;
            if (top < 0)
                return 0;

            // The 62 highest bits, and whether there is anything below them: enough to round a 53-bit mantissa right.
            int zeros = BitOperations.LeadingZeroCount(_bits[top]);
            ulong below = top > 0 ? _bits[top - 1] : 0;
            ulong high = zeros == 0 ? _bits[top] : (_bits[top] << zeros) | (below >> (64 - zeros));
            bool rest = (high & 3) != 0 || (zeros == 0 ? below : below << zeros) != 0;
            for (int i = top - 2; i >= 0; i--)
                rest |= _bits[i] != 0;
            long mantissa = (long)((high >> 2) | (rest ? 1UL : 0));
            int exponent = (64 * top) - zeros + 2 + LowestExponent;
            return mantissa * BitConverter.Int64BitsToDouble((long)(exponent + 1023) << 52);
        }
    }

    /// <summary>Writes the sum as <see cref="Words"/> words.</summary>
    public readonly void Write(Span<uint> words)
    {
        for (int i = 0; i < Limbs; i++)
            (words[2 * i], words[(2 * i) + 1]) = (_isNotFinite ? uint.MaxValue : (uint)_bits[i], _isNotFinite ? uint.MaxValue : (uint)(_bits[i] >> 32));
    }

    /// <summary>Reads what <see cref="Write"/> wrote. All bits set, which no sum comes to, stand for NaN.</summary>
    public static ExactSum Read(ReadOnlySpan<uint> words)
    {
        var sum = new ExactSum { _isNotFinite = true };
        for (int i = 0; i < Limbs; i++)
        {
            sum._bits[i] = words[2 * i] | ((ulong)words[(2 * i) + 1] << 32);
            sum._isNotFinite &= sum._bits[i] == ulong.MaxValue;
        }

        return sum;
    }

    private void AddAt(int limb, ulong low, ulong high)
    {
        for (ulong carry = 0; limb < Limbs && (low | high | carry) != 0; limb++, low = high, high = 0)
        {
            UInt128 sum = (UInt128)_bits[limb] + low + carry;
            (_bits[limb], carry) = ((ulong)sum, (ulong)(sum >> 64));
        }
    }

    [InlineArray(Limbs)]
    [StructLayout(LayoutKind.Auto)]
    private struct Bits
    {
        private ulong _first;
    }
}
