namespace ConvNet.Core.Training;

/// <summary>One place where micro-batches are computed, one at a time, start to end. A CPU thread today; nothing else knows that.</summary>
/// <remarks>
/// A lane owns its arena; it is used by one thread at a time. What it writes is a pure function of (job, step, micro-batch, weights):
/// the same bits on every lane, every machine, every time.
/// </remarks>
public interface IMicroBatchLane : IDisposable
{
    /// <summary>Forward and backward over one micro-batch of a training step.</summary>
    /// <param name="step">The step, from 0. Decides, with <paramref name="microBatch"/>, which samples these are.</param>
    /// <param name="microBatch">Index of the micro-batch in the step, from 0.</param>
    /// <param name="weights">All weights and running statistics of this step's version, <see cref="ContributionLayout.StateLength"/> floats; only read.</param>
    /// <param name="contribution">Overwritten, all of it: <see cref="ContributionLayout.Length"/> floats.</param>
    /// <param name="progress">Is told how much of the contribution is final. On return all of it is, whether that was told or not.</param>
    /// <exception cref="LossNotFiniteException">The loss is not finite; the progress was told nothing.</exception>
    void Train(long step, int microBatch, ReadOnlySpan<float> weights, Span<float> contribution, IContributionProgress progress);

    /// <summary>Forward over one micro-batch of the test set, in order.</summary>
    /// <param name="microBatch">Index of the micro-batch in the test set, from 0.</param>
    /// <param name="weights">As in <see cref="Train"/>.</param>
    /// <param name="metrics">Overwritten: <see cref="ContributionLayout.MetricsLength"/> floats.</param>
    void Evaluate(int microBatch, ReadOnlySpan<float> weights, Span<float> metrics);
}
