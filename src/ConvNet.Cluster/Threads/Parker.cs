using System.Diagnostics;

namespace ConvNet.Cluster.Threads;

/// <summary>Lets one thread wait for another's word: it sleeps, or spins for a moment before.</summary>
/// <remarks>
/// Spinning is for a thread that owns a core and is about to be told to go on; any other would take the core from one that computes. While it spins it
/// offers its core to others: they may be those who bring the word.
/// An <see cref="Unpark"/> that comes before the <see cref="Park"/> is not lost: the park returns at once. It may also return for a word
/// that was meant for an earlier wait, so callers look again at what they wait for.
/// </remarks>
/// <param name="spins">Whether it spins before it sleeps.</param>
internal sealed class Parker(bool spins = false) : IDisposable
{
    private const int Empty = 0, Notified = 1, Asleep = 2;

    /// <summary>About what it costs to put a thread to sleep and to wake it up.</summary>
    private static readonly long MostSpinTicks = Environment.ProcessorCount > 1 ? Stopwatch.Frequency * 50 / 1_000_000 : 0;

    // Not a SemaphoreSlim, which spins and yields by itself before it sleeps.
    private readonly AutoResetEvent _sleep = new(false);
    private readonly long _spinTicks = spins ? MostSpinTicks : 0;
    private int _state;

    /// <summary>Waits for a word.</summary>
    public void Park()
    {
        long start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _state) != Notified && Stopwatch.GetTimestamp() - start < _spinTicks)
            Thread.Yield();
        if (Interlocked.CompareExchange(ref _state, Asleep, Empty) == Empty)
            _sleep.WaitOne();
        Volatile.Write(ref _state, Empty);
    }

    /// <summary>Gives the word.</summary>
    public void Unpark()
    {
        if (Interlocked.Exchange(ref _state, Notified) == Asleep)
            _sleep.Set();
    }

    /// <inheritdoc/>
    public void Dispose() => _sleep.Dispose();
}
