using System.Collections.Concurrent;
using ConvNet.Cluster.Jobs;

namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>Keeps all events of a job, and lets a test act on them.</summary>
public sealed class Observed(Action<JobEvent>? then = null) : IJobObserver
{
    private readonly ConcurrentQueue<JobEvent> _events = new();

    public IEnumerable<T> Of<T>() where T : JobEvent => _events.OfType<T>();

    public void On(JobEvent happened)
    {
        _events.Enqueue(happened);
        then?.Invoke(happened);
    }
}
