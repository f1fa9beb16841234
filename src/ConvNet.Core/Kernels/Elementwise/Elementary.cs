using System.Runtime.CompilerServices;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Elementwise;

/// <summary>exp, log, tanh, the logistic function and the normal distribution as polynomials of our own.</summary>
/// <remarks>
/// The platform's <c>MathF.Exp</c> is the C library's: its last bit differs from system to system, and its vector form from width to width. These
/// are the same operations in the same order everywhere. Errors are below 2 units in the last place (logistic: 3, normal distribution: 7) over the ranges given; a test holds that against double precision.
/// Polynomials: Moshier, Cephes <c>expf.c</c>, <c>logf.c</c>, <c>tanhf.c</c>.
/// </remarks>
internal static class Elementary<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    /// <summary>eˣ. Saturates at x = −87.3 (1.2e−38) and x = 88.0 (1.7e38): never 0, never infinite. NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp(TVector x)
    {
        TVector p = ExpSeries(x, out TVector r, out TVector n);
        p = TOps.FusedMultiplyAdd(p, TOps.Multiply(r, r), TOps.Add(r, C(1)));
        return TOps.Multiply(p, TOps.PowerOfTwo(n));
    }

    /// <summary>eˣ − 1, as accurate near 0 as elsewhere. Saturates as <see cref="Exp"/> does. NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ExpMinusOne(TVector x)
    {
        // 2ⁿ·eʳ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1): nothing cancels, and the second term is exact where it matters.
        TVector p = ExpSeries(x, out TVector r, out TVector n);
        TVector small = TOps.FusedMultiplyAdd(p, TOps.Multiply(r, r), r), power = TOps.PowerOfTwo(n);
        return TOps.FusedMultiplyAdd(power, small, TOps.Subtract(power, C(1)));
    }

    /// <summary>ln x for normal x &gt; 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log(TVector x)
    {
        TVector f = TOps.Subtract(TOps.Mantissa(x, out TVector e), C(1));
        TVector square = TOps.Multiply(f, f);
        TVector p = C(7.0376836292e-2f);
        p = TOps.FusedMultiplyAdd(p, f, C(-1.1514610310e-1f));
        p = TOps.FusedMultiplyAdd(p, f, C(1.1676998740e-1f));
        p = TOps.FusedMultiplyAdd(p, f, C(-1.2420140846e-1f));
        p = TOps.FusedMultiplyAdd(p, f, C(1.4249322787e-1f));
        p = TOps.FusedMultiplyAdd(p, f, C(-1.6668057665e-1f));
        p = TOps.FusedMultiplyAdd(p, f, C(2.0000714765e-1f));
        p = TOps.FusedMultiplyAdd(p, f, C(-2.4999993993e-1f));
        p = TOps.FusedMultiplyAdd(p, f, C(3.3333331174e-1f));
        p = TOps.Multiply(TOps.Multiply(p, square), f);
        p = TOps.FusedMultiplyAdd(e, C(-2.12194440e-4f), p);
        p = TOps.FusedMultiplyAdd(square, C(-0.5f), p);
        return TOps.FusedMultiplyAdd(e, C(0.693359375f), TOps.Add(f, p));
    }

    /// <summary>tanh x, any x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh(TVector x)
    {
        TVector square = TOps.Multiply(x, x);
        TVector p = C(-5.70498872745e-3f);
        p = TOps.FusedMultiplyAdd(p, square, C(2.06390887954e-2f));
        p = TOps.FusedMultiplyAdd(p, square, C(-5.37397155531e-2f));
        p = TOps.FusedMultiplyAdd(p, square, C(1.33314422036e-1f));
        p = TOps.FusedMultiplyAdd(p, square, C(-3.33332819422e-1f));
        TVector near = TOps.FusedMultiplyAdd(TOps.Multiply(p, square), x, x);

        TVector sign = TOps.And(x, C(-0f)), magnitude = TOps.AndNot(x, C(-0f));
        TVector e = Exp(TOps.Add(magnitude, magnitude));
        TVector far = TOps.Subtract(C(1), TOps.Divide(C(2), TOps.Add(e, C(1))));
        return TOps.Or(TOps.Select(TOps.IsGreater(magnitude, C(0.625f)), far, near), sign);
    }

    /// <summary>1 / (1 + e⁻ˣ), any x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Logistic(TVector x) => TOps.Divide(C(1), TOps.Add(C(1), Exp(TOps.Subtract(C(0), x))));

    /// <summary>Φ(x), the probability that a standard normal number is below x; <paramref name="density"/> is e^(−x²/2) / √(2π). NaN gives NaN.</summary>
    /// <remarks>
    /// Φ(−t) = e^(−t²/2)·u·P(u), u = 1 / (1 + 0.3·t), t ≥ 0: the form of Abramowitz and Stegun 1964, 7.1.26, with a P of degree 9, fitted
    /// for the least relative error (3.5e−9) over t in 0…14. So both tails are as accurate as the middle, and one exponential serves Φ and its slope.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector NormalProbability(TVector x, out TVector density)
    {
        TVector t = TOps.Less(C(16), TOps.AndNot(x, C(-0f)));   // beyond, nothing is left of the tail
        TVector square = TOps.Multiply(t, t), lost = TOps.FusedMultiplyAdd(t, t, TOps.Subtract(C(0), square));
        TVector e = Exp(TOps.Multiply(square, C(-0.5f)));
        e = TOps.FusedMultiplyAdd(e, TOps.Multiply(lost, C(-0.5f)), e);   // what rounding the square took away
        density = TOps.Multiply(e, C(0.398942280f));

        TVector u = TOps.Divide(C(1), TOps.FusedMultiplyAdd(t, C(0.3f), C(1)));
        TVector p = C(-0.0206132252f);
        p = TOps.FusedMultiplyAdd(p, u, C(0.112377927f));
        p = TOps.FusedMultiplyAdd(p, u, C(-0.228072539f));
        p = TOps.FusedMultiplyAdd(p, u, C(0.191588372f));
        p = TOps.FusedMultiplyAdd(p, u, C(-0.0792528465f));
        p = TOps.FusedMultiplyAdd(p, u, C(0.0960607529f));
        p = TOps.FusedMultiplyAdd(p, u, C(0.0784245804f));
        p = TOps.FusedMultiplyAdd(p, u, C(0.110227533f));
        p = TOps.FusedMultiplyAdd(p, u, C(0.119572818f));
        p = TOps.FusedMultiplyAdd(p, u, C(0.119686633f));
        TVector tail = TOps.Multiply(TOps.Multiply(p, u), e);
        return TOps.Select(TOps.IsGreater(x, C(0)), TOps.Subtract(C(1), tail), tail);
    }

    /// <summary>Splits x into n·ln 2 + r, |r| ≤ ln 2 / 2, and returns (eʳ − 1 − r) / r².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ExpSeries(TVector x, out TVector r, out TVector n)
    {
        // ln 2 in two parts, the first exact when multiplied by n.
        x = TOps.Greater(C(-87.33f), x);   // in this order, so that a NaN gets through
        x = TOps.Less(C(88.02f), x);
        n = TOps.Round(TOps.Multiply(x, C(1.44269504f)));
        r = TOps.FusedMultiplyAdd(n, C(-0.693359375f), x);
        r = TOps.FusedMultiplyAdd(n, C(2.12194440e-4f), r);
        TVector p = C(1.9875691500e-4f);
        p = TOps.FusedMultiplyAdd(p, r, C(1.3981999507e-3f));
        p = TOps.FusedMultiplyAdd(p, r, C(8.3334519073e-3f));
        p = TOps.FusedMultiplyAdd(p, r, C(4.1665795894e-2f));
        p = TOps.FusedMultiplyAdd(p, r, C(1.6666665459e-1f));
        return TOps.FusedMultiplyAdd(p, r, C(5.0000001201e-1f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector C(float value) => TOps.Broadcast(value);
}
