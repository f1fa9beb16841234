using ConvNet.Core.Simd;

namespace ConvNet.Core.Optimizers;

/// <summary>Adagrad: parameters that have moved much move less and less.</summary>
/// <remarks>
/// <code>
/// g = gradient·scale + decay·w
/// s = s + g²
/// w = w − rate·g / (√s + ε)
/// </code>
/// Duchi, Hazan, Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization"; as PyTorch writes it, s from 0.
/// </remarks>
/// <param name="Epsilon">Above 0; added outside the root.</param>
/// <param name="WeightDecay">At least 0; added to the gradient.</param>
public sealed record Adagrad(double Epsilon = 1e-10, float WeightDecay = 0) : Optimizer(WeightDecay)
{
    /// <summary>s.</summary>
    public override int StatePlanes => 1;

    private protected override void Update(OptimizerSlice slice, in OptimizerStep step) =>
        UpdateKernel<Rule, Constants>.Run(slice, new(step, this));

    internal readonly struct Constants(in OptimizerStep step, Adagrad settings)
    {
        public readonly float Scale = step.Scale, Rate = -step.Rate, Decay = settings.WeightDecay, Epsilon = (float)settings.Epsilon;
    }

    internal readonly struct Rule : IUpdateRule<Constants>
    {
        public static unsafe void Step<TVector, TOps>(float* weights, float* gradient, float* first, float* second, in Constants c)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            TVector w = TOps.Load(weights);
            TVector g = TOps.FusedMultiplyAdd(TOps.Broadcast(c.Decay), w, TOps.Multiply(TOps.Load(gradient), TOps.Broadcast(c.Scale)));
            TVector s = TOps.FusedMultiplyAdd(g, g, TOps.Load(first));
            TOps.Store(s, first);
            TVector step = TOps.Divide(g, TOps.Add(TOps.Sqrt(s), TOps.Broadcast(c.Epsilon)));
            TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(c.Rate), step, w), weights);
        }
    }
}
