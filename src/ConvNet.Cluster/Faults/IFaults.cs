namespace ConvNet.Cluster.Faults;

/// <summary>The moments of a worker's step at which something may go wrong.</summary>
public enum FaultPoint
{
    /// <summary>A micro-batch has been taken and not begun.</summary>
    BeforeCompute,

    /// <summary>A micro-batch has been computed and nobody knows it yet; with several shards, some have got their part already.</summary>
    DuringCompute,

    /// <summary>A sum is ready to be sent.</summary>
    BeforePush,

    /// <summary>One shard has got its part of a sum, the next has not.</summary>
    DuringPush,

    /// <summary>All shards have got their part of a sum.</summary>
    AfterPush,

    /// <summary>A micro-batch of the test set has been computed. The step is the version that is evaluated.</summary>
    DuringEvaluation,
}

/// <summary>Lets a test make a worker fail at an exact place. Throws to make it so.</summary>
public interface IFaults
{
    /// <summary>A worker has come to a point. Called on its lanes' threads.</summary>
    void At(FaultPoint point, int worker, long step);
}

/// <summary>Ready-made faults.</summary>
public static class Fault
{
    /// <summary>Nothing goes wrong.</summary>
    public static IFaults None { get; } = new Calm();

    /// <summary>One worker dies once, at a point of a step.</summary>
    public static IFaults Kill(int worker, long atStep, FaultPoint point) => new KillOnce(worker, atStep, point);

    /// <summary>All of these.</summary>
    public static IFaults All(params IFaults[] faults) => new Several(faults);

    private sealed class Calm : IFaults
    {
        public void At(FaultPoint point, int worker, long step)
        {
        }
    }

    private sealed class KillOnce(int worker, long step, FaultPoint point) : IFaults
    {
        private int _done;

        public void At(FaultPoint at, int who, long when)
        {
            if (at == point && who == worker && when == step && Interlocked.Exchange(ref _done, 1) == 0)
                throw new WorkerKilledException($"killed at step {step}, {point}");
        }
    }

    private sealed class Several(IFaults[] faults) : IFaults
    {
        public void At(FaultPoint point, int worker, long step)
        {
            foreach (var fault in faults)
                fault.At(point, worker, step);
        }
    }
}

/// <summary>A test has killed this worker.</summary>
public sealed class WorkerKilledException(string message) : Exception(message);
