namespace ConvNet.Cluster.Workers;

/// <summary>Measures how many micro-batches a second a worker's lanes compute, and says when that is worth telling. Pure: time is passed in.</summary>
/// <remarks>
/// Waiting does not count: a worker that waits for others is not slow. The mean is over the last seconds of computing, older ones fade. A single
/// micro-batch that takes very long (the process was stopped for a while) counts as one that took four times the usual: if it becomes usual, a few of them tell.
/// </remarks>
internal sealed class SpeedMeter(int lanes)
{
    /// <summary>The speed is told no more often than this.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const double Change = 1.1, MostTimesUsual = 4, MemorySeconds = 2;

    private double _seconds, _count, _told;
    private TimeSpan _last;
    private int _seen;

    /// <summary>A lane has computed a micro-batch.</summary>
    /// <param name="took">From its beginning to its end.</param>
    /// <param name="now">The time; it only grows.</param>
    /// <returns>Micro-batches a second of all lanes together, if they are to be told now.</returns>
    public double? Computed(TimeSpan took, TimeSpan now)
    {
        // The first of each lane finds code and memory cold.
        if (_seen < lanes)
        {
            _seen++;
            _last = now;
            return null;
        }

        double seconds = Math.Max(took.TotalSeconds, 1e-7);
        if (_count > 0)
            seconds = Math.Min(seconds, MostTimesUsual * _seconds / _count);
        double kept = Math.Exp(-seconds / (MemorySeconds * lanes));
        (_seconds, _count) = ((_seconds * kept) + seconds, (_count * kept) + 1);

        double speed = lanes * _count / _seconds;
        if (now - _last < Interval || (speed < _told * Change && speed > _told / Change))
            return null;
        (_told, _last) = (speed, now);
        return speed;
    }
}
