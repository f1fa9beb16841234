using Akka.Actor;
using ConvNet.Cluster.Jobs;

namespace ConvNet.Cluster.Management;

/// <summary>Passes on what happens to an attempt: events one by one, steps as a summary a few times a second.</summary>
/// <remarks>Called on the coordinator's thread only. A small network takes a thousand steps a second, and nobody reads that fast.</remarks>
internal sealed class AttemptObserver(string target, IActorRef manager, TimeProvider clock) : IJobObserver
{
    /// <summary>→ job manager: something has happened. Never leaves the process.</summary>
    public sealed record Happened(string Target, JobEvent Event) : INoSerializationVerificationNeeded;

    /// <summary>→ job manager: this is how far it is. Never leaves the process.</summary>
    /// <param name="Target">The attempt.</param>
    /// <param name="Steps">Steps taken since the beginning of the job.</param>
    /// <param name="Loss">Mean training loss of about the last 50 steps.</param>
    /// <param name="SamplesPerSecond">Since the summary before, or one a little older.</param>
    public sealed record Progressed(string Target, long Steps, double Loss, double? SamplesPerSecond) : INoSerializationVerificationNeeded;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    /// <summary>Share of the newest step in the mean loss: single steps jump about.</summary>
    private const double Newest = 0.02;

    private readonly Queue<(long Time, long Samples)> _recent = [];
    private long _samples, _told;
    private double? _loss;

    /// <inheritdoc/>
    public void On(JobEvent happened)
    {
        if (happened is JobEvent.Stepped stepped)
            OnStep(stepped);
        else
            manager.Tell(new Happened(target, happened));
    }

    private void OnStep(JobEvent.Stepped step)
    {
        long now = clock.GetTimestamp();
        _samples += step.Samples;
        _loss = _loss is { } loss ? loss + ((step.Loss - loss) * Newest) : step.Loss;
        if (_told != 0 && clock.GetElapsedTime(_told, now) < Interval)
            return;

        _told = now;
        _recent.Enqueue((now, _samples));
        while (_recent.Count > 2 && clock.GetElapsedTime(_recent.Peek().Time, now) > Window)
            _recent.Dequeue();
        (long time, long samples) = _recent.Peek();
        double seconds = clock.GetElapsedTime(time, now).TotalSeconds;
        manager.Tell(new Progressed(target, step.Step + 1, _loss.Value, seconds > 0 ? (_samples - samples) / seconds : null));
    }
}
