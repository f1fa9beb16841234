using System.Diagnostics;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>Says when to call a peer again, and when to give it up. Pure: the time is passed in, as a timestamp of <see cref="Stopwatch"/>. Not thread-safe.</summary>
/// <param name="peerTimeout">How long a peer may be out of reach.</param>
internal sealed class CallPacing(TimeSpan peerTimeout)
{
    private const int ShortestPause = 20, LongestPause = 1000;   // ms

    /// <summary>Connections that may break before anything is acknowledged. More of them, and it is not the network.</summary>
    private const int MostFruitless = 20;

    private long? _lostAt;
    private int _calls, _fruitless;   // since something got through

    /// <summary>There is no connection, now or since earlier.</summary>
    public void Lost(long now) => _lostAt ??= now;

    /// <summary>There is a connection.</summary>
    public void Connected()
    {
        _lostAt = null;
        _fruitless++;
    }

    /// <summary>A frame was acknowledged.</summary>
    public void GotThrough() => (_calls, _fruitless) = (0, 0);

    /// <summary>Why the peer is to be given up; null where it is to be called.</summary>
    /// <param name="now">The time.</param>
    /// <param name="trouble">What the last call said.</param>
    /// <param name="patience">How long the next call may take.</param>
    public string? GiveUp(long now, string trouble, out TimeSpan patience)
    {
        patience = peerTimeout - (_lostAt is { } since ? Stopwatch.GetElapsedTime(since, now) : TimeSpan.Zero);
        if (_fruitless > MostFruitless)
            return $"was connected {_fruitless} times, and nothing got through";
        return patience > TimeSpan.Zero ? null : $"could not be reached for {peerTimeout.TotalSeconds:0.#} s: {trouble}";
    }

    /// <summary>How long to wait before the next call, which is counted by this: not at all, then twice as long each time.</summary>
    public TimeSpan NextPause()
    {
        int before = _calls++;
        return TimeSpan.FromMilliseconds(before == 0 ? 0 : Math.Min(LongestPause, ShortestPause << Math.Min(10, before - 1)));
    }
}
