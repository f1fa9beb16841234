namespace ConvNet.Core.Tests.Layers;

/// <summary>The standard normal distribution in double precision, by two classic expansions: what the engine's polynomial is measured against.</summary>
internal static class NormalDistribution
{
    private static readonly double RootOfTwoPi = Math.Sqrt(2 * Math.PI);

    /// <summary>φ(x) = e^(−x²/2) / √(2π).</summary>
    public static double Density(double x) => Math.Exp(-x * x / 2) / RootOfTwoPi;

    /// <summary>Φ(x), the probability of a number below x.</summary>
    public static double Probability(double x) => Math.Abs(x) < 3 ? 0.5 + Series(x) : x < 0 ? Tail(-x) : 1 - Tail(x);

    /// <summary>Φ(x) − ½ = φ(x)·(x + x³/3 + x⁵/(3·5) + …): Abramowitz and Stegun, 26.2.11.</summary>
    private static double Series(double x)
    {
        double sum = x, term = x;
        for (int n = 1; n < 100; n++)
            sum += term *= x * x / ((2 * n) + 1);
        return Density(x) * sum;
    }

    /// <summary>Φ(−x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))): 26.2.14.</summary>
    private static double Tail(double x)
    {
        double fraction = x;
        for (int k = 200; k > 0; k--)
            fraction = x + (k / fraction);
        return Density(x) / fraction;
    }
}
