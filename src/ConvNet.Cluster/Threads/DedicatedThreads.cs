namespace ConvNet.Cluster.Threads;

/// <summary>The threads on which a node computes or moves floats, apart from those of the actors; knows when all of them have ended.</summary>
/// <param name="brief">Whether they do little at a time, and are to do it at once: see <see cref="BriefTurns"/>.</param>
public sealed class DedicatedThreads(bool brief = false)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _idle = Completed();
    private int _running;

    /// <summary>Threads that run now.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Starts a background thread. <paramref name="body"/> handles its own exceptions: one that escapes ends the process.</summary>
    public void Start(string name, Action body)
    {
        lock (_gate)
        {
            if (_running++ == 0)
                _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        var thread = new Thread(() =>
        {
            try
            {
                if (brief)
                    BriefTurns.Ask();
                body();
            }
            finally
            {
                Ended();
            }
        })
        { Name = name, IsBackground = true };
        thread.Start();
    }

    /// <summary>Completes when no thread runs.</summary>
    public Task WhenAllEnded()
    {
        lock (_gate)
            return _idle.Task;
    }

    private void Ended()
    {
        lock (_gate)
        {
            if (--_running == 0)
                _idle.SetResult();
        }
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
