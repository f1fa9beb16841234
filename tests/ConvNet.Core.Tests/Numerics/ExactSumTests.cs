using System.Numerics;
using ConvNet.Core.Numerics;
using Xunit;

namespace ConvNet.Core.Tests.Numerics;

public class ExactSumTests
{
    [Fact]
    public void The_sum_is_that_of_whole_numbers_without_limit_rounded_once()
    {
        var random = new Random(5);
        for (int round = 0; round < 200; round++)
        {
            double[] values = Draw(random, 50, spread: round);
            var sum = new ExactSum();
            BigInteger exact = 0;
            foreach (double value in values)
            {
                sum.Add(value);
                exact += Whole(value);
            }

            Assert.Equal(Rounded(exact), sum.Value);
        }
    }

    [Fact]
    public void Order_and_grouping_do_not_matter()
    {
        var random = new Random(6);
        double[] values = Draw(random, 300, spread: 250);
        double expected = Sum(values).Value;
        for (int round = 0; round < 20; round++)
        {
            random.Shuffle(values);
            var total = new ExactSum();
            int at = 0;
            while (at < values.Length)
            {
                int count = random.Next(1, values.Length - at + 1);
                total.Add(Sum(values.AsSpan(at, count)));
                at += count;
            }

            Assert.Equal(expected, total.Value);
        }
    }

    [Fact]
    public void A_tie_is_rounded_to_even_and_what_lies_far_below_breaks_it()
    {
        Assert.Equal(Math.Pow(2, 53), Sum([Math.Pow(2, 53), 1]).Value);
        Assert.Equal(Math.Pow(2, 53) + 2, Sum([Math.Pow(2, 53), 1, Math.Pow(2, -290)]).Value);
        Assert.Equal(Math.Pow(2, 53) + 4, Sum([Math.Pow(2, 53), 3]).Value);
    }

    [Fact]
    public void The_squares_of_the_smallest_and_the_largest_float_fit()
    {
        double least = (double)float.Epsilon * float.Epsilon, most = (double)float.MaxValue * float.MaxValue;

        Assert.Equal(least, Sum([least]).Value);
        Assert.Equal(3 * least, Sum([least, least, least]).Value);
        var sum = Sum([most]);
        for (int doubling = 0; doubling < 31; doubling++)
            sum.Add(sum);
        Assert.Equal(most * Math.Pow(2, 31), sum.Value);
    }

    [Fact]
    public void Words_carry_a_sum_from_one_place_to_another()
    {
        ExactSum sum = Sum([Math.Pow(2, 250), 3, Math.Pow(2, -298)]), nothing = default, notFinite = Sum([1, double.NaN]);

        Assert.All([sum, nothing, notFinite], s => Assert.Equal(s.Value, Carried(s).Value));
        var twice = Carried(sum);
        twice.Add(Carried(notFinite));
        Assert.Equal(double.NaN, twice.Value);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_is_not_finite_stays_so(double value)
    {
        ExactSum sum = Sum([1, value, 2]);

        Assert.Equal(double.NaN, sum.Value);
    }

    private static ExactSum Carried(in ExactSum sum)
    {
        Span<uint> words = stackalloc uint[ExactSum.Words];
        sum.Write(words);
        return ExactSum.Read(words);
    }

    private static ExactSum Sum(ReadOnlySpan<double> values)
    {
        var sum = new ExactSum();
        foreach (double value in values)
            sum.Add(value);
        return sum;
    }

    private static double[] Draw(Random random, int count, int spread) =>
        [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * Math.Pow(2, random.Next(-spread, spread + 1)))];

    /// <summary>In units of 2⁻²⁹⁸.</summary>
    private static BigInteger Whole(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        var mantissa = new BigInteger((bits & 0xFFFFFFFFFFFFF) | (1L << 52));
        int shift = (int)(bits >> 52) - 1075 + 298;
        return value == 0 ? 0 : shift >= 0 ? mantissa << shift : mantissa >> -shift;
    }

    /// <summary>To the nearest double, ties to even.</summary>
    private static double Rounded(BigInteger whole)
    {
        int extra = Math.Max(0, (int)whole.GetBitLength() - 53);
        BigInteger kept = whole >> extra, half = extra == 0 ? 0 : BigInteger.One << (extra - 1), rest = whole - (kept << extra);
        if (extra > 0 && (rest > half || (rest == half && !kept.IsEven)))
            kept++;
        return Math.ScaleB((double)kept, extra - 298);
    }
}
