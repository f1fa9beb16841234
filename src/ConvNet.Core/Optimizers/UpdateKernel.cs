using ConvNet.Core.Simd;

namespace ConvNet.Core.Optimizers;

/// <summary>The formula of an optimizer for one vector of elements.</summary>
/// <typeparam name="TConstants">What is the same for all elements.</typeparam>
internal unsafe interface IUpdateRule<TConstants>
    where TConstants : struct
{
    /// <summary>Loads, changes and stores the elements that the pointers point to. A pointer to a plane that the rule does not have may be null.</summary>
    static abstract void Step<TVector, TOps>(float* weights, float* gradient, float* first, float* second, in TConstants constants)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>;
}

/// <summary>Slices of one length, and the constants of a rule.</summary>
internal readonly unsafe struct UpdateArguments<TConstants>(
    float* weights, float* gradient, float* first, float* second, int length, TConstants constants)
    where TConstants : struct
{
    public readonly float* Weights = weights, Gradient = gradient, First = first, Second = second;
    public readonly int Length = length;
    public readonly TConstants Constants = constants;
}

/// <summary>Applies a rule to slices of any length: the elements that are left over at the end go through a vector too, so the formula is written once.</summary>
internal readonly struct UpdateKernel<TRule, TConstants> : IKernel<UpdateArguments<TConstants>>
    where TRule : struct, IUpdateRule<TConstants>
    where TConstants : struct
{
    /// <summary>At the widest vectors of this machine.</summary>
    public static unsafe void Run(OptimizerSlice slice, TConstants constants)
    {
        fixed (float* w = slice.Weights, g = slice.Gradient, first = slice.First, second = slice.Second)
            Widest.Run<UpdateKernel<TRule, TConstants>, UpdateArguments<TConstants>>(new(w, g, first, second, slice.Weights.Length, constants));
    }

    public static unsafe void Run<TVector, TOps>(in UpdateArguments<TConstants> a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int i = 0;
        for (; i <= a.Length - TOps.Count; i += TOps.Count)
            TRule.Step<TVector, TOps>(a.Weights + i, a.Gradient + i, At(a.First, i), At(a.Second, i), a.Constants);
        int rest = a.Length - i;
        if (rest == 0)
            return;

        float* w = stackalloc float[4 * Stripes.Count];
        float* g = w + Stripes.Count, first = g + Stripes.Count, second = first + Stripes.Count;
        new Span<float>(w, 4 * Stripes.Count).Clear();
        Copy(a.Weights + i, w, rest);
        Copy(a.Gradient + i, g, rest);
        Copy(At(a.First, i), first, rest);
        Copy(At(a.Second, i), second, rest);
        TRule.Step<TVector, TOps>(w, g, first, second, a.Constants);
        Copy(w, a.Weights + i, rest);
        Copy(first, At(a.First, i), rest);
        Copy(second, At(a.Second, i), rest);
    }

    private static unsafe float* At(float* plane, int i) => plane == null ? null : plane + i;

    private static unsafe void Copy(float* from, float* to, int length)
    {
        if (from != null && to != null)
            new ReadOnlySpan<float>(from, length).CopyTo(new Span<float>(to, length));
    }
}
