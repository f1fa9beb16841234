using ConvNet.Core.Simd;

namespace ConvNet.Core.Optimizers;

/// <summary>RMSProp: the gradient over its root mean square of late.</summary>
/// <remarks>
/// <code>
/// g = gradient·scale + decay·w
/// s = α·s + (1 − α)·g²
/// b = momentum·b + g / (√s + ε)       without momentum: b = g / (√s + ε), and no plane for it
/// w = w − rate·b
/// </code>
/// Tieleman and Hinton 2012, "Lecture 6.5, RMSProp"; as PyTorch writes it, not centred.
/// </remarks>
/// <param name="Alpha">In [0, 1): how slowly s forgets.</param>
/// <param name="Epsilon">Above 0; added outside the root.</param>
/// <param name="Momentum">In [0, 1); 0 for none.</param>
/// <param name="WeightDecay">At least 0; added to the gradient.</param>
public sealed record RmsProp(double Alpha = 0.99, double Epsilon = 1e-8, float Momentum = 0, float WeightDecay = 0) : Optimizer(WeightDecay)
{
    /// <summary>s, and b where there is momentum.</summary>
    public override int StatePlanes => Momentum > 0 ? 2 : 1;

    private protected override void Update(OptimizerSlice slice, in OptimizerStep step) =>
        UpdateKernel<Rule, Constants>.Run(slice, new(step, this));

    internal readonly struct Constants(in OptimizerStep step, RmsProp settings)
    {
        public readonly float Scale = step.Scale, Rate = -step.Rate, Decay = settings.WeightDecay, Momentum = settings.Momentum;
        public readonly float Old = (float)settings.Alpha, New = (float)(1 - settings.Alpha), Epsilon = (float)settings.Epsilon;
    }

    internal readonly struct Rule : IUpdateRule<Constants>
    {
        public static unsafe void Step<TVector, TOps>(float* weights, float* gradient, float* first, float* second, in Constants c)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            TVector w = TOps.Load(weights);
            TVector g = TOps.FusedMultiplyAdd(TOps.Broadcast(c.Decay), w, TOps.Multiply(TOps.Load(gradient), TOps.Broadcast(c.Scale)));
            TVector s = TOps.Multiply(TOps.Multiply(TOps.Broadcast(c.New), g), g);
            s = TOps.FusedMultiplyAdd(TOps.Broadcast(c.Old), TOps.Load(first), s);
            TOps.Store(s, first);
            TVector b = TOps.Divide(g, TOps.Add(TOps.Sqrt(s), TOps.Broadcast(c.Epsilon)));
            if (second != null)
            {
                b = TOps.FusedMultiplyAdd(TOps.Broadcast(c.Momentum), TOps.Load(second), b);
                TOps.Store(b, second);
            }

            TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(c.Rate), b, w), weights);
        }
    }
}
