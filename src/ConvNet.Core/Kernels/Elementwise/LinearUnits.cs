using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Elementwise;

/// <summary>y = x for x &gt; 0, else slope·x.</summary>
internal readonly struct LeakyReluForward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector slope = TOps.Broadcast(a.Constant);
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector x = TOps.Load(a.First + i);
            TOps.Store(TOps.Select(TOps.IsGreater(x, default), x, TOps.Multiply(x, slope)), a.Result + i);
        }
    }
}

/// <summary>dx = dy where y &gt; 0, else slope·dy; y has the sign of x because the slope is above 0.</summary>
internal readonly struct LeakyReluBackward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector slope = TOps.Broadcast(a.Constant);
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector dy = TOps.Load(a.Second + i);
            TOps.Store(TOps.Select(TOps.IsGreater(TOps.Load(a.First + i), default), dy, TOps.Multiply(dy, slope)), a.Result + i);
        }
    }
}

/// <summary>y = x for x &gt; 0, else α·(eˣ − 1).</summary>
internal readonly struct EluForward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector alpha = TOps.Broadcast(a.Constant);
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector x = TOps.Load(a.First + i);
            TVector below = TOps.Multiply(alpha, Elementary<TVector, TOps>.ExpMinusOne(x));
            TOps.Store(TOps.Select(TOps.IsGreater(x, default), x, below), a.Result + i);
        }
    }
}

/// <summary>dx = dy where y &gt; 0, else dy·(y + α).</summary>
internal readonly struct EluBackward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector alpha = TOps.Broadcast(a.Constant);
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector y = TOps.Load(a.First + i), dy = TOps.Load(a.Second + i);
            TOps.Store(TOps.Select(TOps.IsGreater(y, default), dy, TOps.Multiply(dy, TOps.Add(y, alpha))), a.Result + i);
        }
    }
}

/// <summary>y = x·Φ(x), Φ the normal distribution.</summary>
internal readonly struct GeluForward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector x = TOps.Load(a.First + i);
            TOps.Store(TOps.Multiply(x, Elementary<TVector, TOps>.NormalProbability(x, out _)), a.Result + i);
        }
    }
}

/// <summary>dx = dy·(Φ(x) + x·φ(x)), from x, not from y.</summary>
internal readonly struct GeluBackward : IKernel<ElementwiseArguments>
{
    public static unsafe void Run<TVector, TOps>(in ElementwiseArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int i = 0; i < a.Length; i += TOps.Count)
        {
            TVector x = TOps.Load(a.First + i);
            TVector probability = Elementary<TVector, TOps>.NormalProbability(x, out TVector density);
            TOps.Store(TOps.Multiply(TOps.Load(a.Second + i), TOps.FusedMultiplyAdd(x, density, probability)), a.Result + i);
        }
    }
}
