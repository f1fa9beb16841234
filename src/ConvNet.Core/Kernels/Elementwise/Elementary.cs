using System.Runtime.CompilerServices;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Elementwise;

/// <summary>exp, log, tanh and the logistic function as polynomials of our own.</summary>
/// <remarks>
/// The platform's <c>MathF.Exp</c> is the C library's: its last bit differs from system to system, and its vector form from width to width. These
/// are the same operations in the same order everywhere. Errors are below 2 units in the last place (logistic: 3) over the ranges given; a test holds that against double precision.
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
        // x = n·ln 2 + r, |r| ≤ ln 2 / 2; ln 2 in two parts, the first exact when multiplied by n.
        x = TOps.Greater(C(-87.33f), x);   // in this order, so that a NaN gets through
        x = TOps.Less(C(88.02f), x);
        TVector n = TOps.Round(TOps.Multiply(x, C(1.44269504f)));
        TVector r = TOps.FusedMultiplyAdd(n, C(-0.693359375f), x);
        r = TOps.FusedMultiplyAdd(n, C(2.12194440e-4f), r);
        TVector p = C(1.9875691500e-4f);
        p = TOps.FusedMultiplyAdd(p, r, C(1.3981999507e-3f));
        p = TOps.FusedMultiplyAdd(p, r, C(8.3334519073e-3f));
        p = TOps.FusedMultiplyAdd(p, r, C(4.1665795894e-2f));
        p = TOps.FusedMultiplyAdd(p, r, C(1.6666665459e-1f));
        p = TOps.FusedMultiplyAdd(p, r, C(5.0000001201e-1f));
        p = TOps.FusedMultiplyAdd(p, TOps.Multiply(r, r), TOps.Add(r, C(1)));
        return TOps.Multiply(p, TOps.PowerOfTwo(n));
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

    /// <summary>Φ(x) = ½ + ½·erf(x / √2), any x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector NormalDistribution(TVector x) =>
        TOps.FusedMultiplyAdd(C(0.5f), ErrorFunction(TOps.Multiply(x, C(0.70710678f))), C(0.5f));

    /// <summary>erf x, any x: a polynomial up to 0.93, 1 − e to the power of another beyond.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ErrorFunction(TVector x)
    {
        TVector sign = TOps.And(x, C(-0f)), t = TOps.AndNot(x, C(-0f)), s = TOps.Multiply(x, x);
        TVector far = TOps.FusedMultiplyAdd(C(-1.72853470e-5f), t, C(3.83197126e-4f));
        far = TOps.FusedMultiplyAdd(far, s, TOps.FusedMultiplyAdd(C(-3.88396438e-3f), t, C(2.42546219e-2f)));
        far = TOps.FusedMultiplyAdd(far, t, C(-1.06777877e-1f));
        far = TOps.FusedMultiplyAdd(far, t, C(-6.34846687e-1f));
        far = TOps.FusedMultiplyAdd(far, t, C(-1.28717512e-1f));
        far = TOps.FusedMultiplyAdd(far, t, TOps.Subtract(C(0), t));
        far = TOps.Select(TOps.IsGreater(t, C(4)), C(1), TOps.Subtract(C(1), Exp(far)));    // beyond 4 the polynomial is no good, and erf is 1

        TVector near = TOps.FusedMultiplyAdd(C(-5.96761703e-4f), s, C(4.99119423e-3f));
        near = TOps.FusedMultiplyAdd(near, s, C(-2.67681349e-2f));
        near = TOps.FusedMultiplyAdd(near, s, C(1.12819925e-1f));
        near = TOps.FusedMultiplyAdd(near, s, C(-3.76125336e-1f));
        near = TOps.FusedMultiplyAdd(near, s, C(1.28379166e-1f));
        near = TOps.FusedMultiplyAdd(near, t, t);
        return TOps.Or(TOps.Select(TOps.IsGreater(t, C(0.927734375f)), far, near), sign);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector C(float value) => TOps.Broadcast(value);
}
