using ConvNet.Cluster.Jobs;

namespace ConvNet.Cli.Reports;

/// <summary>What the steps of an epoch come to.</summary>
internal sealed class EpochTally
{
    private double _correct;
    private long _samples, _samplesOfFirst;
    private DateTimeOffset _first, _last;

    /// <summary>Share of right answers among its training samples, each with the weights of its step, from 0 to 1.</summary>
    public double Accuracy => _correct / _samples;

    /// <summary>Training images a second, from the end of its first step to the end of its last; null where that is no time.</summary>
    public double? ImagesPerSecond => _last > _first ? (_samples - _samplesOfFirst) / (_last - _first).TotalSeconds : null;

    /// <summary>A step has been applied.</summary>
    public void Add(JobEvent.Stepped stepped, DateTimeOffset now)
    {
        if (_samples == 0)
            (_first, _samplesOfFirst) = (now, stepped.Samples);
        _last = now;
        _samples += stepped.Samples;
        _correct += stepped.Accuracy * stepped.Samples;
    }
}
