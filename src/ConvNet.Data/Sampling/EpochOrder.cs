using ConvNet.Core.Randomness;

namespace ConvNet.Data.Sampling;

/// <summary>In which order an epoch goes through the samples: a permutation that is a function of (seed, epoch) alone.</summary>
/// <remarks>
/// Fisher–Yates with Philox numbers: every sample exactly once an epoch. Many lanes ask at once; the last two epochs are kept, because at the
/// end of an epoch some lanes are already in the next.
/// </remarks>
/// <param name="seed">The job's seed.</param>
/// <param name="samples">Samples of the training set.</param>
public sealed class EpochOrder(ulong seed, int samples)
{
    private readonly Lock _lock = new();
    private (int Epoch, int[] Order) _newer = (-1, []), _older = (-1, []);

    /// <summary>The samples at positions <paramref name="start"/> … of an epoch.</summary>
    public ReadOnlySpan<int> Slice(int epoch, int start, int count) => Of(epoch).AsSpan(start, count);

    /// <summary>A whole epoch; computed once, and not to be changed.</summary>
    private int[] Of(int epoch)
    {
        lock (_lock)
        {
            if (_newer.Epoch == epoch)
                return _newer.Order;
            if (_older.Epoch == epoch)
                return _older.Order;
            (int, int[]) computed = (epoch, Shuffle(epoch));
            (_newer, _older) = (computed, _newer);
            return computed.Item2;
        }
    }

    private int[] Shuffle(int epoch)
    {
        var random = new Philox(seed, Purpose.EpochOrder);
        int[] order = [.. Enumerable.Range(0, samples)];
        for (int i = samples - 1; i > 0; i--)
        {
            int other = (int)random.Below((uint)i + 1, (uint)epoch, (ulong)i);
            (order[i], order[other]) = (order[other], order[i]);
        }

        return order;
    }
}
