using System.Runtime.CompilerServices;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Winograd;

/// <summary>The small matrices of F(4×4, 3×3) and F(2×2, 5×5), each applied along one axis to vectors of 16 channels.</summary>
/// <remarks>
/// Four outputs of a window of three come from six products instead of twelve; in two dimensions 36 instead of 144. With g the window, d six inputs:
/// <code>
/// y = Aᵀ [(G g) ⊙ (Bᵀ d)]
///
///      ⎡ 4  0 −5  0  1  0 ⎤        ⎡  1/4    0     0  ⎤
///      ⎢ 0 −4 −4  1  1  0 ⎥        ⎢ −1/6  −1/6  −1/6 ⎥        ⎡ 1  1  1  1  1  0 ⎤
/// Bᵀ = ⎢ 0  4 −4 −1  1  0 ⎥    G = ⎢ −1/6   1/6  −1/6 ⎥   Aᵀ = ⎢ 0  1 −1  2 −2  0 ⎥
///      ⎢ 0 −2 −1  2  1  0 ⎥        ⎢  1/24  1/12  1/6 ⎥        ⎢ 0  1  1  4  4  0 ⎥
///      ⎢ 0  2 −1 −2  1  0 ⎥        ⎢  1/24 −1/12  1/6 ⎥        ⎣ 0  1 −1  8 −8  1 ⎦
///      ⎣ 0  4  0 −5  0  1 ⎦        ⎣   0     0     1  ⎦
/// </code>
/// Two outputs of a window of five come from six products as well instead of ten, 36 instead of 100 in two dimensions. The points at which polynomials are taken are the same,
/// 0, ±1, ±2 and infinity, and so is Bᵀ; G has two columns more and Aᵀ two rows less:
/// <code>
///      ⎡  1/4    0     0    0    0  ⎤
///      ⎢ −1/6  −1/6  −1/6 −1/6 −1/6 ⎥        ⎡ 1  1  1  1  1  0 ⎤
///  G = ⎢ −1/6   1/6  −1/6  1/6 −1/6 ⎥   Aᵀ = ⎣ 0  1 −1  2 −2  1 ⎦
///      ⎢  1/24  1/12  1/6  1/3  2/3 ⎥
///      ⎢  1/24 −1/12  1/6 −1/3  2/3 ⎥
///      ⎣   0     0     0    0    1  ⎦
/// </code>
/// Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", §4.2. The order of each expression below is canonical: element-wise, so
/// the same on every width. Each result replaces its operands in place, <c>step</c> floats apart.
/// </remarks>
internal static unsafe class WinogradTransforms<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    /// <summary>Bᵀ: six inputs to six.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, TVector d5, float* to, nint step)
    {
        TVector four = TOps.Broadcast(4), minusFour = TOps.Broadcast(-4), minusFive = TOps.Broadcast(-5);
        TVector a = TOps.FusedMultiplyAdd(minusFour, d2, d4), b = TOps.FusedMultiplyAdd(minusFour, d1, d3);
        TVector c = TOps.Subtract(d4, d2), e = TOps.Subtract(d3, d1);
        e = TOps.Add(e, e);
        TOps.Store(TOps.FusedMultiplyAdd(four, d0, TOps.FusedMultiplyAdd(minusFive, d2, d4)), to);
        TOps.Store(TOps.Add(a, b), to + step);
        TOps.Store(TOps.Subtract(a, b), to + (2 * step));
        TOps.Store(TOps.Add(c, e), to + (3 * step));
        TOps.Store(TOps.Subtract(c, e), to + (4 * step));
        TOps.Store(TOps.FusedMultiplyAdd(four, d1, TOps.FusedMultiplyAdd(minusFive, d3, d5)), to + (5 * step));
    }

    /// <summary>Aᵀ: six sums to four outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(TVector m0, TVector m1, TVector m2, TVector m3, TVector m4, TVector m5, out TVector y0, out TVector y1, out TVector y2, out TVector y3)
    {
        TVector s = TOps.Add(m1, m2), d = TOps.Subtract(m1, m2), p = TOps.Add(m3, m4), q = TOps.Subtract(m3, m4);
        y0 = TOps.Add(TOps.Add(m0, s), p);
        y1 = TOps.FusedMultiplyAdd(TOps.Broadcast(2), q, d);
        y2 = TOps.FusedMultiplyAdd(TOps.Broadcast(4), p, s);
        y3 = TOps.Add(TOps.FusedMultiplyAdd(TOps.Broadcast(8), q, d), m5);
    }

    /// <summary>Aᵀ for a window of five: six sums to two outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(TVector m0, TVector m1, TVector m2, TVector m3, TVector m4, TVector m5, out TVector y0, out TVector y1)
    {
        TVector s = TOps.Add(m1, m2), d = TOps.Subtract(m1, m2), p = TOps.Add(m3, m4), q = TOps.Subtract(m3, m4);
        y0 = TOps.Add(TOps.Add(m0, s), p);
        y1 = TOps.Add(TOps.FusedMultiplyAdd(TOps.Broadcast(2), q, d), m5);
    }

    /// <summary>A for a window of five: the gradients of two outputs to those of six sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputGradient(TVector y0, TVector y1, float* to, nint step)
    {
        TVector far = TOps.Add(y1, y1);
        TOps.Store(y0, to);
        TOps.Store(TOps.Add(y0, y1), to + step);
        TOps.Store(TOps.Subtract(y0, y1), to + (2 * step));
        TOps.Store(TOps.Add(y0, far), to + (3 * step));
        TOps.Store(TOps.Subtract(y0, far), to + (4 * step));
        TOps.Store(y1, to + (5 * step));
    }

    /// <summary>A: the gradients of four outputs to those of six sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputGradient(TVector y0, TVector y1, TVector y2, TVector y3, float* to, nint step)
    {
        TVector even = TOps.Add(y0, y2), odd = TOps.Add(y1, y3);
        TVector wide = TOps.FusedMultiplyAdd(TOps.Broadcast(4), y2, y0), far = TOps.FusedMultiplyAdd(TOps.Broadcast(4), y3, y1);
        far = TOps.Add(far, far);
        TOps.Store(y0, to);
        TOps.Store(TOps.Add(even, odd), to + step);
        TOps.Store(TOps.Subtract(even, odd), to + (2 * step));
        TOps.Store(TOps.Add(wide, far), to + (3 * step));
        TOps.Store(TOps.Subtract(wide, far), to + (4 * step));
        TOps.Store(y3, to + (5 * step));
    }

    /// <summary>G: three weights to six; written around the caches if <paramref name="uncached"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(TVector g0, TVector g1, TVector g2, float* to, nint step, bool uncached = false)
    {
        TVector sixth = TOps.Broadcast(-1f / 6), twelfth = TOps.Broadcast(1f / 12), twentyFourth = TOps.Broadcast(1f / 24);
        TVector ends = TOps.Multiply(sixth, TOps.Add(g0, g2)), middle = TOps.Multiply(sixth, g1);
        TVector far = TOps.FusedMultiplyAdd(twentyFourth, g0, TOps.Multiply(TOps.Broadcast(1f / 6), g2)), near = TOps.Multiply(twelfth, g1);
        Write(TOps.Multiply(TOps.Broadcast(0.25f), g0), to, uncached);
        Write(TOps.Add(ends, middle), to + step, uncached);
        Write(TOps.Subtract(ends, middle), to + (2 * step), uncached);
        Write(TOps.Add(far, near), to + (3 * step), uncached);
        Write(TOps.Subtract(far, near), to + (4 * step), uncached);
        Write(g2, to + (5 * step), uncached);
    }

    /// <summary>G: five weights to six; written around the caches if <paramref name="uncached"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(TVector g0, TVector g1, TVector g2, TVector g3, TVector g4, float* to, nint step, bool uncached = false)
    {
        TVector sixth = TOps.Broadcast(-1f / 6);
        TVector ends = TOps.Multiply(sixth, TOps.Add(TOps.Add(g0, g2), g4)), middle = TOps.Multiply(sixth, TOps.Add(g1, g3));
        TVector far = TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 24), g0, TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 6), g2, TOps.Multiply(TOps.Broadcast(2f / 3), g4)));
        TVector near = TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 12), g1, TOps.Multiply(TOps.Broadcast(1f / 3), g3));
        Write(TOps.Multiply(TOps.Broadcast(0.25f), g0), to, uncached);
        Write(TOps.Add(ends, middle), to + step, uncached);
        Write(TOps.Subtract(ends, middle), to + (2 * step), uncached);
        Write(TOps.Add(far, near), to + (3 * step), uncached);
        Write(TOps.Subtract(far, near), to + (4 * step), uncached);
        Write(g4, to + (5 * step), uncached);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(TVector value, float* to, bool uncached)
    {
        if (uncached)
            TOps.StoreUncached(value, to);
        else
            TOps.Store(value, to);
    }

    /// <summary>Gᵀ: the gradients of six weights to those of three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WeightGradient(TVector u0, TVector u1, TVector u2, TVector u3, TVector u4, TVector u5, float* to, nint step)
    {
        TVector sixth = TOps.Broadcast(1f / 6), minusSixth = TOps.Broadcast(-1f / 6);
        TVector near = TOps.Add(u1, u2), far = TOps.Add(u3, u4), away = TOps.Subtract(u2, u1), apart = TOps.Subtract(u3, u4);
        TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 24), far, TOps.FusedMultiplyAdd(minusSixth, near, TOps.Multiply(TOps.Broadcast(0.25f), u0))), to);
        TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 12), apart, TOps.Multiply(sixth, away)), to + step);
        TOps.Store(TOps.Add(TOps.FusedMultiplyAdd(sixth, far, TOps.Multiply(minusSixth, near)), u5), to + (2 * step));
    }

    /// <summary>Gᵀ: the gradients of six weights to those of five.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WeightGradient5(TVector u0, TVector u1, TVector u2, TVector u3, TVector u4, TVector u5, float* to, nint step)
    {
        TVector sixth = TOps.Broadcast(1f / 6), minusSixth = TOps.Broadcast(-1f / 6);
        TVector near = TOps.Multiply(minusSixth, TOps.Add(u1, u2)), far = TOps.Add(u3, u4), away = TOps.Multiply(sixth, TOps.Subtract(u2, u1)), apart = TOps.Subtract(u3, u4);
        TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 24), far, TOps.FusedMultiplyAdd(TOps.Broadcast(0.25f), u0, near)), to);
        TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 12), apart, away), to + step);
        TOps.Store(TOps.FusedMultiplyAdd(sixth, far, near), to + (2 * step));
        TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(1f / 3), apart, away), to + (3 * step));
        TOps.Store(TOps.Add(TOps.FusedMultiplyAdd(TOps.Broadcast(2f / 3), far, near), u5), to + (4 * step));
    }
}
