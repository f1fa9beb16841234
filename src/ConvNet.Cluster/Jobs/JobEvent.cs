namespace ConvNet.Cluster.Jobs;

/// <summary>What a job tells of itself while it runs.</summary>
public abstract record JobEvent
{
    /// <summary>All workers that were there at the beginning have their share; the first step begins.</summary>
    /// <param name="Workers">How many they are.</param>
    /// <param name="TotalSteps">Steps of the job.</param>
    /// <param name="StepsPerEpoch">Steps of an epoch.</param>
    public sealed record Began(int Workers, long TotalSteps, int StepsPerEpoch) : JobEvent;

    /// <summary>A step has been applied.</summary>
    /// <param name="Step">The step, from 0.</param>
    /// <param name="Epoch">Its epoch, from 0.</param>
    /// <param name="Loss">Mean loss of its samples.</param>
    /// <param name="Accuracy">Share of its samples whose most probable class was right, from 0 to 1.</param>
    /// <param name="Samples">Its samples.</param>
    public sealed record Stepped(long Step, int Epoch, double Loss, double Accuracy, int Samples) : JobEvent;

    /// <summary>The test set has been gone through, after an epoch.</summary>
    /// <param name="Version">The version of the weights: steps taken.</param>
    /// <param name="Epoch">The epoch that is over, from 0.</param>
    /// <param name="Loss">Mean loss.</param>
    /// <param name="Accuracy">Share of right answers, from 0 to 1.</param>
    /// <param name="Top5">Share of samples whose class was among the five most probable; null where classes are few: <see cref="EpochResult.TellsTop5"/>.</param>
    /// <param name="TrainLoss">Mean loss over the epoch's training samples, each with the weights of its step.</param>
    public sealed record Evaluated(long Version, int Epoch, double Loss, double Accuracy, double? Top5, double TrainLoss) : JobEvent;

    /// <summary>The job ends before its last epoch, because none has been better for long enough.</summary>
    /// <param name="Version">Steps taken.</param>
    /// <param name="Epoch">The epoch that is over, from 0.</param>
    /// <param name="BestEpoch">The best one, from 0.</param>
    public sealed record EndsEarly(long Version, int Epoch, int BestEpoch) : JobEvent
    {
        /// <summary>In words for people.</summary>
        public string Text => $"ends after epoch {Epoch + 1}: none of the last {Epoch - BestEpoch} was better than epoch {BestEpoch + 1}";
    }

    /// <summary>A worker takes part from now on.</summary>
    /// <param name="Worker">Its number in the job.</param>
    /// <param name="Workers">Workers that take part.</param>
    public sealed record WorkerJoined(int Worker, int Workers) : JobEvent;

    /// <summary>A worker is gone; the others take over its share.</summary>
    /// <param name="Worker">Its number in the job.</param>
    /// <param name="Reason">Why, as far as it is known.</param>
    /// <param name="Workers">Workers that still take part.</param>
    public sealed record WorkerLost(int Worker, string Reason, int Workers) : JobEvent;

    /// <summary>A checkpoint is complete on disk.</summary>
    /// <param name="Step">Steps taken up to it.</param>
    /// <param name="Folder">Where it is.</param>
    /// <param name="Bytes">How large it is.</param>
    public sealed record CheckpointWritten(long Step, string Folder, long Bytes) : JobEvent;

    /// <summary>A checkpoint could not be written; training goes on.</summary>
    /// <param name="Step">Steps taken up to it.</param>
    /// <param name="Reason">Why.</param>
    public sealed record CheckpointFailed(long Step, string Reason) : JobEvent;

    /// <summary>A worker is far behind, or does not answer: the others take over its share until it has caught up.</summary>
    /// <param name="Worker">Its number in the job.</param>
    /// <param name="Version">The version at which it was missed.</param>
    public sealed record WorkerFellBehind(int Worker, long Version) : JobEvent;

    /// <summary>A worker that was far behind has its share again.</summary>
    /// <param name="Worker">Its number in the job.</param>
    public sealed record WorkerCaughtUp(int Worker) : JobEvent;

    /// <summary>No worker is left; the job goes on when one comes.</summary>
    /// <param name="Version">The version that it has come to.</param>
    public sealed record WaitingForWorkers(long Version) : JobEvent;

    /// <summary>The job stops early, at a version.</summary>
    public sealed record Stopping(long Version) : JobEvent;
}

/// <summary>Is told how a job goes.</summary>
public interface IJobObserver
{
    /// <summary>Something has happened. Called on the coordinator's thread, in order; quick, and never throws.</summary>
    void On(JobEvent happened);
}
