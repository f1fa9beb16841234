using System.Diagnostics;

namespace ConvNet.Cluster.Threads;

/// <summary>Lets one thread wait for another's word: it spins for a moment, because a step is short, and then sleeps.</summary>
/// <remarks>
/// An <see cref="Unpark"/> that comes before the <see cref="Park"/> is not lost: the park returns at once. It may also return for a word
/// that was meant for an earlier wait, so callers look again at what they wait for. Spinning is brief because the core may be needed
/// by the very thread that is waited for.
/// </remarks>
internal sealed class Parker : IDisposable
{
    private const int Empty = 0, Notified = 1, Asleep = 2;

    /// <summary>About what it costs to put a thread to sleep and to wake it up.</summary>
    private static readonly long SpinTicks = Environment.ProcessorCount > 1 ? Stopwatch.Frequency * 50 / 1_000_000 : 0;

    private readonly SemaphoreSlim _sleep = new(0);
    private int _state;

    /// <summary>Waits for a word.</summary>
    public void Park()
    {
        long start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _state) != Notified && Stopwatch.GetTimestamp() - start < SpinTicks)
            Thread.SpinWait(10);
        if (Interlocked.CompareExchange(ref _state, Asleep, Empty) == Empty)
            _sleep.Wait();
        Volatile.Write(ref _state, Empty);
    }

    /// <summary>Gives the word.</summary>
    public void Unpark()
    {
        if (Interlocked.Exchange(ref _state, Notified) == Asleep)
            _sleep.Release();
    }

    /// <inheritdoc/>
    public void Dispose() => _sleep.Dispose();
}
