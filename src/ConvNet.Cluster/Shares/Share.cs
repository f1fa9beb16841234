namespace ConvNet.Cluster.Shares;

/// <summary>Which micro-batches are whose: a pure function of their number and the workers' weights.</summary>
/// <remarks>
/// Worker i gets [⌊V·W(i)/W(n)⌋, ⌊V·W(i+1)/W(n)⌋), where W(i) is the sum of the weights before i. So shares are contiguous, each
/// micro-batch is in exactly one of them, for every V: the same assignment serves full steps, the smaller last step of an epoch, and the
/// test set. Shares have no influence on the result, only on who works how long.
/// </remarks>
public static class Share
{
    /// <summary>The micro-batches of one worker, as a half-open range; empty where there are fewer micro-batches than workers.</summary>
    /// <param name="microBatches">Micro-batches to share out.</param>
    /// <param name="weights">A weight for each worker, from 0; at least one is positive.</param>
    /// <param name="worker">The worker's place among the weights.</param>
    public static (int Start, int End) Of(int microBatches, ReadOnlySpan<int> weights, int worker)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(microBatches);
        if ((uint)worker >= (uint)weights.Length)
            throw new ArgumentOutOfRangeException(nameof(worker), worker, $"There are {weights.Length} workers.");

        long before = 0, total = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(weights[i]);
            if (i < worker)
                before += weights[i];
            total += weights[i];
        }

        if (total == 0)
            throw new ArgumentException("At least one worker needs a positive weight.", nameof(weights));
        return ((int)(microBatches * before / total), (int)(microBatches * (before + weights[worker]) / total));
    }
}
