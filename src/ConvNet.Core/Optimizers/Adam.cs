using ConvNet.Core.Numerics;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Optimizers;

/// <summary>Adam: a step of about the same length for every parameter, along the mean gradient of late.</summary>
/// <remarks>
/// <code>
/// g = gradient·scale + decay·w
/// m = m + (1 − β₁)·(g − m)            mean of g
/// v = β₂·v + (1 − β₂)·g²              mean of g²
/// w = w − rate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)        t: steps, from 1
/// </code>
/// Kingma and Ba 2015, "Adam: a method for stochastic optimization"; as PyTorch writes it, without AMSGrad.
/// </remarks>
/// <param name="Beta1">In [0, 1).</param>
/// <param name="Beta2">In [0, 1).</param>
/// <param name="Epsilon">Above 0; added outside the root.</param>
/// <param name="WeightDecay">At least 0; added to the gradient.</param>
public sealed record Adam(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, float WeightDecay = 0) : Optimizer(WeightDecay)
{
    /// <summary>m and v.</summary>
    public override int StatePlanes => 2;

    private protected override void Update(OptimizerSlice slice, in OptimizerStep step) =>
        UpdateKernel<AdamRule, AdamConstants>.Run(slice, new(step, Beta1, Beta2, Epsilon, keep: 1, decay: WeightDecay));
}

/// <summary>The constants of <see cref="AdamRule"/>, each worked out in double and rounded once.</summary>
internal readonly struct AdamConstants(in OptimizerStep step, double beta1, double beta2, double epsilon, float keep, float decay)
{
    public readonly float Scale = step.Scale, Keep = keep, Decay = decay;
    public readonly float NewMean = (float)(1 - beta1), OldSquare = (float)beta2, NewSquare = (float)(1 - beta2);
    public readonly float Root = (float)Math.Sqrt(1 - PortableMath.Power(beta2, step.Step + 1)), Epsilon = (float)epsilon;
    public readonly float Rate = (float)(-step.Rate / (1 - PortableMath.Power(beta1, step.Step + 1)));
}

/// <summary>Adam and AdamW: in Adam <c>Keep</c> is 1, in AdamW <c>Decay</c> is 0.</summary>
internal readonly struct AdamRule : IUpdateRule<AdamConstants>
{
    public static unsafe void Step<TVector, TOps>(float* weights, float* gradient, float* first, float* second, in AdamConstants c)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        TVector w = TOps.Multiply(TOps.Load(weights), TOps.Broadcast(c.Keep));
        TVector g = TOps.FusedMultiplyAdd(TOps.Broadcast(c.Decay), w, TOps.Multiply(TOps.Load(gradient), TOps.Broadcast(c.Scale)));
        TVector m = TOps.Load(first);
        m = TOps.FusedMultiplyAdd(TOps.Broadcast(c.NewMean), TOps.Subtract(g, m), m);
        TOps.Store(m, first);
        TVector v = TOps.Multiply(TOps.Multiply(TOps.Broadcast(c.NewSquare), g), g);
        v = TOps.FusedMultiplyAdd(TOps.Broadcast(c.OldSquare), TOps.Load(second), v);
        TOps.Store(v, second);
        TVector length = TOps.Add(TOps.Divide(TOps.Sqrt(v), TOps.Broadcast(c.Root)), TOps.Broadcast(c.Epsilon));
        TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(c.Rate), TOps.Divide(m, length), w), weights);
    }
}
