namespace ConvNet.Core.Initializers;

/// <summary>The number that a standard normal variable falls below with a given probability.</summary>
/// <remarks>
/// Acklam's rational approximation, relative error below 1.2e−9. Only +, −, ×, ÷ and square roots, which are exactly rounded everywhere,
/// and a logarithm of our own: the same bits on every machine.
/// </remarks>
internal static class NormalQuantile
{
    private const double Tail = 0.02425;

    private static ReadOnlySpan<double> MiddleTop =>
        [-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00];

    private static ReadOnlySpan<double> MiddleBottom =>
        [-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01, 1];

    private static ReadOnlySpan<double> TailTop =>
        [-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00];

    private static ReadOnlySpan<double> TailBottom =>
        [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1];

    /// <summary>The quantile of <paramref name="p"/> in (0, 1).</summary>
    public static double Of(double p)
    {
        if (p < Tail)
            return OfTail(Math.Sqrt(-2 * Log(p)));
        if (p > 1 - Tail)
            return -OfTail(Math.Sqrt(-2 * Log(1 - p)));
        double q = p - 0.5, r = q * q;
        return Polynomial(MiddleTop, r) * q / Polynomial(MiddleBottom, r);
    }

    private static double OfTail(double q) => Polynomial(TailTop, q) / Polynomial(TailBottom, q);

    /// <summary>Horner's rule, the highest power first.</summary>
    private static double Polynomial(ReadOnlySpan<double> coefficients, double x)
    {
        double sum = 0;
        foreach (double coefficient in coefficients)
            sum = (sum * x) + coefficient;
        return sum;
    }

    /// <summary>ln x for normal x &gt; 0: x = m·2ᵉ with m in [√½, √2), then ln m = 2·artanh((m − 1) / (m + 1)) as a series.</summary>
    internal static double Log(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        int exponent = (int)(bits >> 52) - 1023;
        double mantissa = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (mantissa > 1.4142135623730951)
        {
            mantissa /= 2;
            exponent++;
        }

        double s = (mantissa - 1) / (mantissa + 1), square = s * s, sum = 0;
        for (int n = 23; n >= 1; n -= 2)
            sum = (sum * square) + (1.0 / n);
        return (2 * s * sum) + (exponent * 0.6931471805599453);
    }
}
