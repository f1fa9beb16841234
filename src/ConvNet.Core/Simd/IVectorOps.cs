namespace ConvNet.Core.Simd;

/// <summary>The vector instructions that kernels are written in, once for all widths.</summary>
/// <remarks>
/// A kernel is generic over the vector type and these operations; the JIT compiles it anew for each width and nothing of the
/// abstraction is left. Every operation is exactly rounded and element-wise, so lane i of the result has the same bits whatever
/// the width. There is no horizontal operation here on purpose: those go through <see cref="Stripes"/>, which fixes their order.
/// </remarks>
/// <typeparam name="TVector"><c>Vector512&lt;float&gt;</c>, <c>Vector256&lt;float&gt;</c> or <c>Vector128&lt;float&gt;</c>.</typeparam>
internal unsafe interface IVectorOps<TVector>
    where TVector : struct
{
    /// <summary>Floats in a vector: 16, 8 or 4; always a divisor of <see cref="Stripes.Count"/>.</summary>
    static abstract int Count { get; }

    static abstract TVector Load(float* source);

    static abstract void Store(TVector value, float* destination);

    /// <summary>Stores to an aligned place without bringing its line into the caches. Others may see it only after a <see cref="Widest.Fence"/>.</summary>
    static abstract void StoreUncached(TVector value, float* destination);

    static abstract TVector Broadcast(float value);

    static abstract TVector Add(TVector a, TVector b);

    static abstract TVector Subtract(TVector a, TVector b);

    static abstract TVector Multiply(TVector a, TVector b);

    static abstract TVector Divide(TVector a, TVector b);

    static abstract TVector Sqrt(TVector a);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TVector FusedMultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>a where a &gt; b, else b: so a NaN in a gives b, and of two equal zeros b is taken. That is what the one instruction of x86 does (Intel, "MAXPS").</summary>
    static abstract TVector Greater(TVector a, TVector b);

    /// <summary>a where a &lt; b, else b.</summary>
    static abstract TVector Less(TVector a, TVector b);

    /// <summary>x where x &gt; 0 or x is NaN, else +0.</summary>
    static abstract TVector Rectify(TVector x);

    /// <summary>All bits set where x &gt; y.</summary>
    static abstract TVector IsGreater(TVector x, TVector y);

    /// <summary>All bits set where x = y.</summary>
    static abstract TVector IsEqual(TVector x, TVector y);

    /// <summary>a where the mask's bits are set, b elsewhere.</summary>
    static abstract TVector Select(TVector mask, TVector a, TVector b);

    static abstract TVector And(TVector a, TVector b);

    static abstract TVector AndNot(TVector a, TVector mask);

    static abstract TVector Or(TVector a, TVector b);

    /// <summary>Rounds to the nearest integer, ties to even, as a float.</summary>
    static abstract TVector Round(TVector a);

    /// <summary>2ⁿ for integral n in −126…127 given as a float.</summary>
    static abstract TVector PowerOfTwo(TVector n);

    /// <summary>Splits x &gt; 0 (normal) into m·2ᵉ with m in [√½, √2) and returns m; <paramref name="exponent"/> is e as a float.</summary>
    static abstract TVector Mantissa(TVector x, out TVector exponent);
}
