namespace ConvNet.Core.Optimizers;

/// <summary>How a step moves the weights along their gradient. One rule for each element, so any slicing and any vector width gives the same bits.</summary>
/// <remarks>Formulas and defaults are PyTorch's where it has them. Holds no numbers of a model: those are the caller's, slice by slice.</remarks>
/// <param name="WeightDecay">At least 0; pulls parameters towards 0. Set to 0 for those that are excluded.</param>
public abstract record Optimizer(float WeightDecay)
{
    /// <summary>Floats of state for each parameter, 0 to 2; zeros before the first step.</summary>
    public abstract int StatePlanes { get; }

    /// <summary>Whether the rate of a tensor depends on the norms of its weights and its gradient; see <see cref="Trust"/>.</summary>
    public virtual bool UsesTensorNorms => false;

    /// <summary>What a tensor's step is multiplied with.</summary>
    /// <param name="weightNorm">Euclidean norm of its weights.</param>
    /// <param name="gradientNorm">Euclidean norm of its mean gradient.</param>
    public virtual float Trust(double weightNorm, double gradientNorm) => 1;

    /// <summary>Updates a slice in place.</summary>
    /// <param name="slice">Weights, gradient and state.</param>
    /// <param name="step">What is the same for all elements.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Apply(OptimizerSlice slice, in OptimizerStep step)
    {
        int length = slice.Weights.Length;
        if (slice.Gradient.Length != length || (StatePlanes > 0 && slice.First.Length != length) || (StatePlanes > 1 && slice.Second.Length != length))
            throw new ArgumentException($"{GetType().Name} takes slices of one length; got weights {length}, gradient {slice.Gradient.Length}, state {slice.First.Length} and {slice.Second.Length}.");
        Update(new(slice.Weights, slice.Gradient, StatePlanes > 0 ? slice.First : default, StatePlanes > 1 ? slice.Second : default), step);
    }

    /// <summary>As <see cref="Apply"/>; the lengths are right, and planes that are not used are empty.</summary>
    private protected abstract void Update(OptimizerSlice slice, in OptimizerStep step);
}

/// <summary>What a step changes, and what it reads: the same elements of each.</summary>
/// <param name="weights">w; changed.</param>
/// <param name="gradient">The summed gradient.</param>
/// <param name="first">The first plane of state; changed. Empty where the optimizer has none.</param>
/// <param name="second">The second plane.</param>
public readonly ref struct OptimizerSlice(Span<float> weights, ReadOnlySpan<float> gradient, Span<float> first, Span<float> second)
{
    /// <summary>w.</summary>
    public Span<float> Weights { get; } = weights;

    /// <summary>The summed gradient.</summary>
    public ReadOnlySpan<float> Gradient { get; } = gradient;

    /// <summary>The first plane of state.</summary>
    public Span<float> First { get; } = first;

    /// <summary>The second plane of state.</summary>
    public Span<float> Second { get; } = second;

    /// <summary>A part of the slice.</summary>
    public OptimizerSlice Slice(int start, int length) => new(
        Weights.Slice(start, length), Gradient.Slice(start, length),
        First.IsEmpty ? default : First.Slice(start, length), Second.IsEmpty ? default : Second.Slice(start, length));
}

/// <summary>What is the same for all elements of a step.</summary>
/// <param name="Step">The step, from 0.</param>
/// <param name="Scale">What the summed gradient is multiplied with: 1 / samples of the step, less where it is clipped.</param>
/// <param name="Rate">The learning rate of the step.</param>
/// <param name="Trust">What a tensor's step is multiplied with, from <see cref="Optimizer.Trust"/>.</param>
public readonly record struct OptimizerStep(long Step, float Scale, float Rate, float Trust = 1);
