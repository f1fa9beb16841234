using System.Diagnostics;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>What a worker process has seen of some steps.</summary>
/// <param name="Steps">Steps from the beginning of one to the beginning of the next.</param>
/// <param name="MedianSeconds">The median of them.</param>
/// <param name="MeanSeconds">Their mean.</param>
/// <param name="ComputingShare">Share of the time in which the lane computed: forward, backward, and sending what is final meanwhile.</param>
/// <param name="BetweenShare">Share of the time from the end of a step's last micro-batch to the next step's first: its own additions, what it does for its shards, and waiting for the new weights.</param>
/// <param name="BytesSentPerStep">Bytes that the process has written to the sockets of the data plane, or read from the memory of others.</param>
internal sealed record WorkerReading(int Steps, double MedianSeconds, double MeanSeconds, double ComputingShare, double BetweenShare, double BytesSentPerStep);

/// <summary>Notes when a worker's only lane computes, and how much has been sent by then.</summary>
/// <param name="bytesSent">Bytes that the process has sent so far.</param>
internal sealed class StepRecorder(Func<long> bytesSent)
{
    private readonly record struct Step(long Number, long Began, long Ended, long Computed, long BytesBefore);

    private readonly Lock _gate = new();
    private readonly List<Step> _steps = [];

    /// <summary>A micro-batch has been computed.</summary>
    /// <param name="step">Its step.</param>
    /// <param name="began">When it began.</param>
    /// <param name="ended">When it was done.</param>
    public void Computed(long step, long began, long ended)
    {
        lock (_gate)
        {
            if (_steps.Count > 0 && _steps[^1].Number == step)
                _steps[^1] = _steps[^1] with { Ended = ended, Computed = _steps[^1].Computed + ended - began };
            else
                _steps.Add(new(step, began, ended, ended - began, bytesSent()));
        }
    }

    /// <summary>Forgets all, and begins a reading.</summary>
    public void Begin()
    {
        lock (_gate)
            _steps.Clear();
    }

    /// <summary>What has been seen since. The first step may have been half over, and the last one is not.</summary>
    public WorkerReading Read()
    {
        Step[] seen;
        lock (_gate)
            seen = [.. _steps.Skip(1)];
        int steps = seen.Length - 1;
        if (steps < 2)
            return new(0, 0, 0, 0, 0, 0);

        var times = new double[steps];
        double computing = 0, between = 0;
        for (int i = 0; i < steps; i++)
        {
            times[i] = Seconds(seen[i + 1].Began - seen[i].Began);
            computing += Seconds(seen[i].Computed);
            between += Seconds(seen[i + 1].Began - seen[i].Ended);
        }

        double total = times.Sum();
        Array.Sort(times);
        return new(steps, times[steps / 2], total / steps, computing / total, between / total, (seen[steps].BytesBefore - seen[0].BytesBefore) / (double)steps);
    }

    private static double Seconds(long ticks) => (double)ticks / Stopwatch.Frequency;
}
