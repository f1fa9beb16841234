namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>Holds the lanes at a step until the test lets them go on: so that what a test does happens in the middle of the job, however fast the machine is.</summary>
/// <param name="step">The step.</param>
/// <param name="pace">How long each micro-batch before it takes at least: so that others have the time to say something in between.</param>
public sealed class StepGate(long step, TimeSpan pace = default) : IDisposable
{
    private readonly ManualResetEventSlim _open = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a lane has come to the step.</summary>
    public Task Reached => _reached.Task;

    /// <summary>What lanes do before they train a micro-batch: see <see cref="ToyRuntime.BeforeTrain"/>.</summary>
    public void Pass(long at, int microBatch)
    {
        if (_open.IsSet)
            return;
        if (at < step)
        {
            if (pace > TimeSpan.Zero)
                Thread.Sleep(pace);
            return;
        }

        _reached.TrySetResult();
        _open.Wait();
    }

    /// <summary>Lets all lanes go on, for good.</summary>
    public void Open() => _open.Set();

    public void Dispose() => _open.Set();
}
