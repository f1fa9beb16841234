using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Elementwise;

/// <summary>Spans of one activation: y from x, or dx from y and dy. All lengths are multiples of 16.</summary>
internal readonly unsafe struct ElementwiseArguments(
    float* first, float* second, float* result, int length, float constant = 0)
{
    /// <summary>x forward; y backward.</summary>
    public readonly float* First = first;

    /// <summary>Unused forward; dy backward.</summary>
    public readonly float* Second = second;

    /// <summary>y forward; dx backward. May be <see cref="First"/> or <see cref="Second"/> itself.</summary>
    public readonly float* Result = result;

    /// <summary>Floats.</summary>
    public readonly int Length = length;

    /// <summary>The one setting of those that have one.</summary>
    public readonly float Constant = constant;
}

/// <summary>y = max(0, x): +0 for x ≤ 0, NaN stays NaN.</summary>
internal readonly struct ReluForward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int i = 0; i < a.Length; i += TOps.Count)
            TOps.Store(TOps.Rectify(TOps.Load(a.First + i)), a.Result + i);
    }
}

/// <summary>dx = dy where y &gt; 0, else 0: the slope at 0 is taken as 0.</summary>
internal readonly struct ReluBackward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int i = 0; i < a.Length; i += TOps.Count)
            TOps.Store(TOps.And(TOps.IsGreater(TOps.Load(a.First + i), default), TOps.Load(a.Second + i)), a.Result + i);
    }
}

/// <summary>y = tanh x.</summary>
internal readonly struct TanhForward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int i = 0; i < a.Length; i += TOps.Count)
            TOps.Store(Elementary<TVector, TOps>.Tanh(TOps.Load(a.First + i)), a.Result + i);
    }
}

/// <summary>dx = dy·(1 − y²).</summary>
internal readonly struct TanhBackward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector one = TOps.Broadcast(1);
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector y = TOps.Load(a.First + i);
            TOps.Store(TOps.Multiply(TOps.Load(a.Second + i), TOps.Subtract(one, TOps.Multiply(y, y))), a.Result + i);
        }
    }
}

/// <summary>y = 1 / (1 + e⁻ˣ).</summary>
internal readonly struct SigmoidForward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int i = 0; i < a.Length; i += TOps.Count)
            TOps.Store(Elementary<TVector, TOps>.Logistic(TOps.Load(a.First + i)), a.Result + i);
    }
}

/// <summary>dx = dy·y·(1 − y).</summary>
internal readonly struct SigmoidBackward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector one = TOps.Broadcast(1);
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector y = TOps.Load(a.First + i);
            TVector slope = TOps.Multiply(y, TOps.Subtract(one, y));
            TOps.Store(TOps.Multiply(TOps.Load(a.Second + i), slope), a.Result + i);
        }
    }
}

/// <summary>Result = First + Second.</summary>
internal readonly struct AddKernel : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int i = 0;
        for (; i <= a.Length - TOps.Count; i += TOps.Count)
            TOps.Store(TOps.Add(TOps.Load(a.First + i), TOps.Load(a.Second + i)), a.Result + i);
        for (; i < a.Length; i++)
            a.Result[i] = a.First[i] + a.Second[i];
    }
}
