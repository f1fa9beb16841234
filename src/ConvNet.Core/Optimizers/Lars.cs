using ConvNet.Core.Simd;

namespace ConvNet.Core.Optimizers;

/// <summary>LARS: SGD with momentum, each tensor's step in proportion to the length of its weights. For large batches.</summary>
/// <remarks>
/// <code>
/// λ = trust·‖w‖ / (‖g‖ + decay·‖w‖ + ε)      over the whole tensor, g = gradient·scale; 1 where ‖w‖ or ‖g‖ is 0
/// v = momentum·v + λ·(g + decay·w)
/// w = w − rate·v
/// </code>
/// You, Gitman, Ginsburg 2017, "Large batch training of convolutional networks", algorithm 1; with the rate outside the momentum, as PyTorch's SGD has it.
/// Tensors that are excluded from decay are taken as plain SGD takes them: λ = 1.
/// </remarks>
/// <param name="Momentum">In [0, 1).</param>
/// <param name="WeightDecay">At least 0; added to the gradient.</param>
/// <param name="TrustCoefficient">Above 0.</param>
/// <param name="Epsilon">At least 0.</param>
public sealed record Lars(float Momentum = 0.9f, float WeightDecay = 0.0005f, double TrustCoefficient = 0.001, double Epsilon = 1e-8) : Optimizer(WeightDecay)
{
    /// <summary>v.</summary>
    public override int StatePlanes => 1;

    /// <inheritdoc/>
    public override bool UsesTensorNorms => true;

    /// <inheritdoc/>
    public override float Trust(double weightNorm, double gradientNorm) =>
        weightNorm == 0 || gradientNorm == 0 ? 1 : (float)(TrustCoefficient * weightNorm / (gradientNorm + (WeightDecay * weightNorm) + Epsilon));

    private protected override void Update(OptimizerSlice slice, in OptimizerStep step) =>
        UpdateKernel<Rule, Constants>.Run(slice, new(step, this));

    internal readonly struct Constants(in OptimizerStep step, Lars settings)
    {
        public readonly float Scale = step.Scale, Rate = -step.Rate, Trust = step.Trust, Decay = settings.WeightDecay, Momentum = settings.Momentum;
    }

    internal readonly struct Rule : IUpdateRule<Constants>
    {
        public static unsafe void Step<TVector, TOps>(float* weights, float* gradient, float* first, float* second, in Constants c)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            TVector w = TOps.Load(weights);
            TVector g = TOps.FusedMultiplyAdd(TOps.Broadcast(c.Decay), w, TOps.Multiply(TOps.Load(gradient), TOps.Broadcast(c.Scale)));
            TVector v = TOps.FusedMultiplyAdd(TOps.Broadcast(c.Momentum), TOps.Load(first), TOps.Multiply(TOps.Broadcast(c.Trust), g));
            TOps.Store(v, first);
            TOps.Store(TOps.FusedMultiplyAdd(TOps.Broadcast(c.Rate), v, w), weights);
        }
    }
}
