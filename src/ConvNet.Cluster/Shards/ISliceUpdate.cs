using ConvNet.Core.Numerics;

namespace ConvNet.Cluster.Shards;

/// <summary>The optimizer as a parameter server sees it: one step over a slice of the parameters. Element by element, so slices cannot change the bits.</summary>
/// <remarks>
/// What a step needs to know of all parameters (the norm of the gradient) is a sum that is not rounded: each shard adds up its part, the parts are added up
/// in whatever order they come, and every shard gets the same total.
/// </remarks>
public interface ISliceUpdate
{
    /// <summary>Floats of optimizer state for each parameter; they start as zeros. They lie in planes, one after the other, each with a float for each parameter: so they can be cut anew.</summary>
    int StatePlanes { get; }

    /// <summary>Sums over all parameters that a step needs; 0 where each element can be changed by itself.</summary>
    int Sums => 0;

    /// <summary>Looks at a step's gradient before it is applied: once, as soon as it is there.</summary>
    /// <param name="weights">The weights of the slice.</param>
    /// <param name="gradientSum">The sum of the gradients of all samples; may be changed.</param>
    /// <param name="gradientScale">1 / samples of the step.</param>
    /// <param name="sliceOffset">The place of the slice's first parameter among all parameters; a multiple of <see cref="ShardPlan.Alignment"/>.</param>
    /// <param name="sums">The slice's part is added here, <see cref="Sums"/> of them.</param>
    void Prepare(ReadOnlySpan<float> weights, Span<float> gradientSum, float gradientScale, int sliceOffset, Span<ExactSum> sums)
    {
        // Most have nothing to look at.
    }

    /// <summary>Takes one step.</summary>
    /// <param name="before">The weights of the slice, of version <paramref name="step"/>.</param>
    /// <param name="weights">Room for those of the next version; all of it is written.</param>
    /// <param name="gradientSum">The sum of the gradients of all samples of the step, for the same parameters, as <see cref="Prepare"/> left it.</param>
    /// <param name="state">The slice's optimizer state, <see cref="StatePlanes"/> planes.</param>
    /// <param name="gradientScale">1 / samples of the step: turns the sum into the mean.</param>
    /// <param name="step">The step, from 0; decides the learning rate.</param>
    /// <param name="sliceOffset">The place of the slice's first parameter among all parameters.</param>
    /// <param name="totals">The sums over all slices, <see cref="Sums"/> of them.</param>
    void Apply(
        ReadOnlySpan<float> before, Span<float> weights, ReadOnlySpan<float> gradientSum, Span<float> state, float gradientScale, long step, int sliceOffset, ReadOnlySpan<double> totals);

    /// <summary>Takes one step of the running statistics. Called on the shard that holds them, and only where there are any.</summary>
    /// <param name="running">The running statistics, all of them; updated.</param>
    /// <param name="sums">The sum of the micro-batches' statistics.</param>
    /// <param name="microBatches">Micro-batches that were summed.</param>
    /// <param name="step">The step, from 0.</param>
    void ApplyStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches, long step);
}
