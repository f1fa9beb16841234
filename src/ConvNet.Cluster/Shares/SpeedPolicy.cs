namespace ConvNet.Cluster.Shares;

/// <summary>Shares the work of a step by measured speed, so that the workers are done at about the same time. Pure.</summary>
/// <remarks>
/// Micro-batches are whole, and often few: with 4 of them, a worker that is 1.4 times as fast as the other still gets 2. So weights are judged by the
/// time that the slowest worker would take for the micro-batches it would really get. Shares have no influence on the result.
/// </remarks>
public static class SpeedPolicy
{
    /// <summary>The work is shared anew for a gain of this much; less may be noise, and would only make unrest.</summary>
    public const double WorthIt = 1.1;

    private const int FineWeight = 1000;

    /// <summary>Seconds that a step is predicted to take.</summary>
    public static double StepTime(int microBatches, IReadOnlyList<int> weights, IReadOnlyList<Pace> paces)
    {
        double longest = 0;
        int[] all = [.. weights];
        for (int worker = 0; worker < all.Length; worker++)
        {
            var (start, end) = Share.Of(microBatches, all, worker);
            longest = Math.Max(longest, paces[worker].Seconds(end - start));
        }

        return longest;
    }

    /// <summary>The weights with the shortest step: equal ones if they do as well as any, then those in proportion to the speeds.</summary>
    /// <param name="microBatches">Micro-batches of a step.</param>
    /// <param name="paces">The workers' speeds.</param>
    public static int[] Best(int microBatches, IReadOnlyList<Pace> paces)
    {
        double fastest = paces.Max(p => p.MicroBatchesPerSecond);
        int[][] candidates =
        [
            [.. paces.Select(_ => 1)],
            [.. paces.Select(p => Math.Max(1, (int)Math.Round(FineWeight * p.MicroBatchesPerSecond / fastest)))],
            Counts(microBatches, paces),
        ];
        return candidates.MinBy(c => StepTime(microBatches, c, paces))!;   // the first of equals
    }

    /// <summary>All speeds, where that of some is not known: they count as the mean of the others.</summary>
    public static Pace[] Completed(IReadOnlyList<Pace?> paces)
    {
        var known = paces.OfType<Pace>().ToArray();
        var mean = known.Length == 0
            ? new Pace(1, 1)
            : new Pace((int)Math.Round(known.Average(p => p.Lanes)), known.Average(p => p.MicroBatchesPerSecond));
        return [.. paces.Select(p => p ?? mean)];
    }

    /// <summary>Gives each micro-batch to the worker that would have it done soonest: no other numbers make the slowest worker faster.</summary>
    private static int[] Counts(int microBatches, IReadOnlyList<Pace> paces)
    {
        int[] counts = new int[paces.Count];
        var next = new PriorityQueue<int, (double Done, int Worker)>();
        for (int worker = 0; worker < counts.Length; worker++)
            next.Enqueue(worker, (paces[worker].Seconds(1), worker));
        for (int given = 0; given < microBatches; given++)
        {
            int worker = next.Dequeue();
            counts[worker]++;
            next.Enqueue(worker, (paces[worker].Seconds(counts[worker] + 1), worker));
        }

        return counts;
    }
}
