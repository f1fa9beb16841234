namespace ConvNet.Cluster.Shards;

/// <summary>The optimizer as a parameter server sees it: one step over a slice of the parameters. Element by element, so slices cannot change the bits.</summary>
public interface ISliceUpdate
{
    /// <summary>Floats of optimizer state for each parameter; they start as zeros. They lie in planes, one after the other, each with a float for each parameter: so they can be cut anew.</summary>
    int StatePlanes { get; }

    /// <summary>Takes one step.</summary>
    /// <param name="weights">The weights of the slice: those of version <paramref name="step"/> on entry, of the next on return.</param>
    /// <param name="gradientSum">The sum of the gradients of all samples of the step, for the same parameters.</param>
    /// <param name="state">The slice's optimizer state, <see cref="StatePlanes"/> planes.</param>
    /// <param name="gradientScale">1 / samples of the step: turns the sum into the mean.</param>
    /// <param name="step">The step, from 0; decides the learning rate.</param>
    /// <param name="sliceOffset">The place of the slice's first parameter among all parameters.</param>
    void Apply(Span<float> weights, ReadOnlySpan<float> gradientSum, Span<float> state, float gradientScale, long step, int sliceOffset);

    /// <summary>Takes one step of the running statistics. Called on the shard that holds them, and only where there are any.</summary>
    /// <param name="running">The running statistics, all of them; updated.</param>
    /// <param name="sums">The sum of the micro-batches' statistics.</param>
    /// <param name="microBatches">Micro-batches that were summed.</param>
    /// <param name="step">The step, from 0.</param>
    void ApplyStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches, long step);
}
