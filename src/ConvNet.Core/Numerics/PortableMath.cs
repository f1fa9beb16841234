namespace ConvNet.Core.Numerics;

/// <summary>Powers, exponential, logarithm and cosine in double precision, of the four basic operations alone.</summary>
/// <remarks>
/// The platform's functions differ in their last bit from system to system, and learning rates decide weights. These give the same bits everywhere;
/// their relative error is below 1e-14, which a test holds against the platform's. They are called a few times a step: nothing here is made for speed.
/// </remarks>
public static class PortableMath
{
    // ln 2 in two parts; the first has so few bits that a product with an exponent is exact.
    private const double Ln2High = 6.93147180369123816490e-01, Ln2Low = 1.90821492927058770002e-10;

    /// <summary>cos(π·t) for t in [0, 1].</summary>
    public static double CosPi(double t)
    {
        // A Taylor series of sin about the middle.
        double x = (0.5 - t) * Math.PI, square = x * x, sum = 0;
        for (int n = 21; n >= 1; n -= 2)
            sum = 1 - (square / ((n + 1) * (n + 2)) * sum);
        return x * sum;
    }

    /// <summary>xⁿ by repeated squaring, for n of at least 0; x⁰ is 1.</summary>
    public static double Power(double x, long n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        double result = 1;
        for (double square = x; n > 0; n >>= 1, square *= square)
        {
            if ((n & 1) != 0)
                result *= square;
        }

        return result;
    }

    /// <summary>xʸ for x of at least 0 and finite y: 0 to the power of 0 is 1, of less than 0 infinite.</summary>
    public static double Power(double x, double y)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        return y == 0 || x == 1 ? 1 : x == 0 ? (y > 0 ? 0 : double.PositiveInfinity) : Exp(y * Log(x));
    }

    /// <summary>eˣ: 0 below −708, infinite above 709.</summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x))
            return x;
        if (x < -708)
            return 0;
        if (x > 709)
            return double.PositiveInfinity;

        // x = n·ln 2 + r with |r| ≤ ln 2 / 2, and a Taylor series of r.
        double n = Math.Round(x * 1.4426950408889634), r = x - (n * Ln2High) - (n * Ln2Low), sum = 1;
        for (int k = 18; k >= 1; k--)
            sum = 1 + (r / k * sum);
        return sum * PowerOfTwo((int)n);
    }

    /// <summary>ln x for normal x above 0.</summary>
    public static double Log(double x)
    {
        if (!double.IsNormal(x) || x < 0)
            throw new ArgumentOutOfRangeException(nameof(x), x, "ln is taken of normal numbers above 0.");

        // x = m·2ᵉ with m in [√½, √2); ln m = 2·artanh((m − 1) / (m + 1)).
        long bits = BitConverter.DoubleToInt64Bits(x);
        int e = (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | (1023L << 52));
        if (m > 1.4142135623730951)
            (m, e) = (m / 2, e + 1);
        double s = (m - 1) / (m + 1), square = s * s, sum = 0;
        for (int k = 23; k >= 1; k -= 2)
            sum = (1.0 / k) + (square * sum);
        return (e * Ln2High) + ((2 * s * sum) + (e * Ln2Low));
    }

    private static double PowerOfTwo(int n) => BitConverter.Int64BitsToDouble((long)(n + 1023) << 52);
}
