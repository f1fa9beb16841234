namespace ConvNet.Core.Optimizers;

/// <summary>Adam with the decay of the weights apart from the gradient, so that it is as strong for every parameter.</summary>
/// <remarks>
/// <code>
/// w = w·(1 − rate·decay)
/// then as in Adam, with g = gradient·scale
/// </code>
/// Loshchilov and Hutter 2019, "Decoupled weight decay regularization"; as PyTorch writes it.
/// </remarks>
/// <param name="Beta1">In [0, 1).</param>
/// <param name="Beta2">In [0, 1).</param>
/// <param name="Epsilon">Above 0; added outside the root.</param>
/// <param name="WeightDecay">At least 0; the share of each weight that is taken off, times the rate.</param>
public sealed record AdamW(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, float WeightDecay = 0.01f) : Optimizer(WeightDecay)
{
    /// <summary>m and v, as in <see cref="Adam"/>.</summary>
    public override int StatePlanes => 2;

    private protected override void Update(OptimizerSlice slice, in OptimizerStep step) =>
        UpdateKernel<AdamRule, AdamConstants>.Run(slice, new(step, Beta1, Beta2, Epsilon, keep: (float)(1 - ((double)step.Rate * WeightDecay)), decay: 0));
}
