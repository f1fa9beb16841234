using static ConvNet.Cluster.Protocol.ShardProtocol;

namespace ConvNet.Cluster.Shards;

/// <summary>Gathers the metrics of steps and says when to report them: at once where steps are long, a few at a time where they are short.</summary>
/// <remarks>
/// A step of a small network takes a millisecond. A message for each would wake the actors' threads a thousand times a second, on the
/// very cores that compute: measured, a tenth of the time of a step. Pure: time is passed in.
/// </remarks>
internal sealed class ProgressReport(string job)
{
    /// <summary>Reports are at least this far apart, unless something else is reported as well.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly List<MetricSums> _steps = [];
    private long _first;
    private TimeSpan _last = -Interval;

    /// <summary>A step has been applied.</summary>
    /// <returns>What is to be reported now, if anything.</returns>
    public StepsCompleted? Add(long step, MetricSums metrics, TimeSpan now)
    {
        if (_steps.Count == 0)
            _first = step;
        _steps.Add(metrics);
        if (now - _last < Interval)
            return null;
        _last = now;
        return Flush();
    }

    /// <summary>All that has not been reported, if there is any: to be sent before anything that ends a stretch of steps.</summary>
    public StepsCompleted? Flush()
    {
        if (_steps.Count == 0)
            return null;
        var report = new StepsCompleted(job, _first, [.. _steps]);
        _steps.Clear();
        return report;
    }
}
