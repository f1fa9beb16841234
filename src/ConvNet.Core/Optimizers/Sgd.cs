using ConvNet.Core.Simd;

namespace ConvNet.Core.Optimizers;

/// <summary>Stochastic gradient descent with momentum, as PyTorch writes it.</summary>
/// <remarks>
/// <code>
/// g = gradient·scale + decay·w
/// v = momentum·v + g
/// w = w − rate·v            or, Nesterov:  w = w − rate·(g + momentum·v)
/// </code>
/// Each line is one fused multiply-add, element by element, so any slicing and any vector width gives the same bits.
/// Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and momentum in deep learning".
/// </remarks>
/// <param name="Momentum">In [0, 1); 0 for none.</param>
/// <param name="WeightDecay">At least 0; pulls every parameter towards 0.</param>
/// <param name="Nesterov">Look ahead along the momentum.</param>
public sealed record Sgd(float Momentum, float WeightDecay, bool Nesterov = false) : Optimizer(WeightDecay)
{
    /// <summary>v.</summary>
    public override int StatePlanes => 1;

    /// <summary>Updates a slice of the weights in place.</summary>
    /// <param name="weights">w, a slice.</param>
    /// <param name="gradient">The summed gradient of the slice.</param>
    /// <param name="velocity">v, the slice's state; zeros before the first step.</param>
    /// <param name="scale">What the gradient is multiplied with: 1 / samples of the step.</param>
    /// <param name="rate">The learning rate of the step.</param>
    public unsafe void Apply(Span<float> weights, ReadOnlySpan<float> gradient, Span<float> velocity, float scale, float rate)
    {
        if (gradient.Length != weights.Length || velocity.Length != weights.Length)
            throw new ArgumentException($"SGD takes three slices of one length; got weights {weights.Length}, gradient {gradient.Length}, velocity {velocity.Length}.");
        fixed (float* w = weights, g = gradient, v = velocity)
            Widest.Run<Kernel, Arguments>(new Arguments(w, g, v, weights.Length, scale, rate, Momentum, WeightDecay, Nesterov));
    }

    private protected override void Update(OptimizerSlice slice, in OptimizerStep step) =>
        Apply(slice.Weights, slice.Gradient, slice.First, step.Scale, step.Rate);

    internal readonly unsafe struct Arguments(
        float* weights, float* gradient, float* velocity, int length, float scale, float rate, float momentum, float decay, bool nesterov)
    {
        public readonly float* Weights = weights, Gradient = gradient, Velocity = velocity;
        public readonly int Length = length;
        public readonly float Scale = scale, Rate = rate, Momentum = momentum, Decay = decay;
        public readonly bool Nesterov = nesterov;
    }

    internal readonly struct Kernel : IKernel<Arguments>
    {
        public static unsafe void Run<TVector, TOps>(in Arguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            TVector scale = TOps.Broadcast(a.Scale), rate = TOps.Broadcast(-a.Rate);
            TVector momentum = TOps.Broadcast(a.Momentum), decay = TOps.Broadcast(a.Decay);
            int i = 0;
            for (; i <= a.Length - TOps.Count; i += TOps.Count)
            {
                TVector w = TOps.Load(a.Weights + i);
                TVector g = TOps.FusedMultiplyAdd(decay, w, TOps.Multiply(TOps.Load(a.Gradient + i), scale));
                TVector v = TOps.FusedMultiplyAdd(momentum, TOps.Load(a.Velocity + i), g);
                TOps.Store(v, a.Velocity + i);
                TVector step = a.Nesterov ? TOps.FusedMultiplyAdd(momentum, v, g) : v;
                TOps.Store(TOps.FusedMultiplyAdd(rate, step, w), a.Weights + i);
            }

            for (; i < a.Length; i++)
            {
                float g = MathF.FusedMultiplyAdd(a.Decay, a.Weights[i], a.Gradient[i] * a.Scale);
                float v = MathF.FusedMultiplyAdd(a.Momentum, a.Velocity[i], g);
                a.Velocity[i] = v;
                float step = a.Nesterov ? MathF.FusedMultiplyAdd(a.Momentum, v, g) : v;
                a.Weights[i] = MathF.FusedMultiplyAdd(-a.Rate, step, a.Weights[i]);
            }
        }
    }
}
