using ConvNet.Cluster.Jobs;
using ConvNet.Core.Training;
using MessagePack;

namespace ConvNet.Cluster.Protocol;

/// <summary>All that the coordinator of a job and its parameter servers say to one another.</summary>
/// <remarks>Keys are for ever: append, never renumber, never reuse. Gradients and weights do not travel here but as tensor frames.</remarks>
public static class ShardProtocol
{
    /// <summary>Coordinator → server: hold this shard of this job. Answer: <see cref="ShardStarted"/>, or <see cref="ShardFailed"/>.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Spec">The job file; the server makes its runtime from it.</param>
    /// <param name="Shard">Which shard.</param>
    /// <param name="Shards">Of how many.</param>
    /// <param name="Version">The version that it begins with.</param>
    /// <param name="Restore">Where to get that version; null for a version 0 that is made from the seed.</param>
    /// <param name="Data">What the data is like; null where the server has its runtime from elsewhere.</param>
    /// <param name="Until">Publish no version beyond this one until told otherwise; null for the job's last.</param>
    [MessagePackObject]
    public sealed record StartShard(
        [property: Key(0)] string Job,
        [property: Key(1)] JobSpec Spec,
        [property: Key(2)] int Shard,
        [property: Key(3)] int Shards,
        [property: Key(4)] long Version = 0,
        [property: Key(5)] TensorTarget? Restore = null,
        [property: Key(6)] DataOrigin? Data = null,
        [property: Key(7)] long? Until = null) : IClusterMessage;

    /// <summary>Server → coordinator: the shard is there, and this is where its frames go.</summary>
    [MessagePackObject]
    public sealed record ShardStarted(
        [property: Key(0)] string Job,
        [property: Key(1)] int Shard,
        [property: Key(2)] TensorTarget Target) : IClusterMessage;

    /// <summary>Coordinator → server: these are all shards of the job, shard 0 first. Only where a step needs sums over all parameters.</summary>
    [MessagePackObject]
    public sealed record MeetShards(
        [property: Key(0)] string Job,
        [property: Key(1)] TensorTarget[] Shards) : IClusterMessage;

    /// <summary>Coordinator → server: publish no version beyond this one. Answer: <see cref="LimitReached"/>, when it is.</summary>
    [MessagePackObject]
    public sealed record RunUntil(
        [property: Key(0)] string Job,
        [property: Key(1)] long Version) : IClusterMessage;

    /// <summary>Coordinator → server: publish nothing more, until <see cref="RunUntil"/>. Answer: <see cref="Paused"/>.</summary>
    [MessagePackObject]
    public sealed record Pause([property: Key(0)] string Job) : IClusterMessage;

    /// <summary>Server → coordinator: this is the version I have published last.</summary>
    [MessagePackObject]
    public sealed record Paused(
        [property: Key(0)] string Job,
        [property: Key(1)] int Shard,
        [property: Key(2)] long Version) : IClusterMessage;

    /// <summary>Server → coordinator: the version that I was to run until is published.</summary>
    [MessagePackObject]
    public sealed record LimitReached(
        [property: Key(0)] string Job,
        [property: Key(1)] int Shard,
        [property: Key(2)] long Version) : IClusterMessage;

    /// <summary>Coordinator → server: keep a snapshot of this version when you come to it. Answer: <see cref="SnapshotTaken"/>, or <see cref="SnapshotMissed"/>.</summary>
    [MessagePackObject]
    public sealed record TakeSnapshot(
        [property: Key(0)] string Job,
        [property: Key(1)] long Version) : IClusterMessage;

    /// <summary>Server → coordinator: I hold a snapshot of this version.</summary>
    [MessagePackObject]
    public sealed record SnapshotTaken(
        [property: Key(0)] string Job,
        [property: Key(1)] int Shard,
        [property: Key(2)] long Version) : IClusterMessage;

    /// <summary>Server → coordinator: I am past that version already.</summary>
    [MessagePackObject]
    public sealed record SnapshotMissed(
        [property: Key(0)] string Job,
        [property: Key(1)] int Shard,
        [property: Key(2)] long Version,
        [property: Key(3)] long Newest) : IClusterMessage;

    /// <summary>Coordinator → server: the snapshot of this version, taken or yet to be taken, is not needed any more.</summary>
    [MessagePackObject]
    public sealed record DropSnapshot(
        [property: Key(0)] string Job,
        [property: Key(1)] long Version) : IClusterMessage;

    /// <summary>Metrics shard → coordinator: these steps have been applied, one after the other.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="First">The first of them.</param>
    /// <param name="Metrics">The sums of each.</param>
    [MessagePackObject]
    public sealed record StepsCompleted(
        [property: Key(0)] string Job,
        [property: Key(1)] long First,
        [property: Key(2)] MetricSums[] Metrics) : IClusterMessage;

    /// <summary>Metrics shard → coordinator: the test set has been gone through with the weights of a version.</summary>
    [MessagePackObject]
    public sealed record EvaluationCompleted(
        [property: Key(0)] string Job,
        [property: Key(1)] long Version,
        [property: Key(2)] MetricSums Metrics) : IClusterMessage;

    /// <summary>Metrics shard → coordinator: the sum of the losses of a step is not a number, or not finite. Nothing is published any more.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Step">The step; in an evaluation, the version.</param>
    /// <param name="Evaluation">Whether it was found in an evaluation.</param>
    /// <param name="LossSum">What was found.</param>
    [MessagePackObject]
    public sealed record LossDiverged(
        [property: Key(0)] string Job,
        [property: Key(1)] long Step,
        [property: Key(2)] bool Evaluation,
        [property: Key(3)] float LossSum) : IClusterMessage;

    /// <summary>Server → coordinator: I am about to stop, for this reason.</summary>
    [MessagePackObject]
    public sealed record ShardFailed(
        [property: Key(0)] string Job,
        [property: Key(1)] int Shard,
        [property: Key(2)] string Reason) : IClusterMessage;

    /// <summary>Coordinator → server: the job is over. The server gives back what it holds and stops.</summary>
    [MessagePackObject]
    public sealed record StopShard([property: Key(0)] string Job) : IClusterMessage;

    /// <summary>Sums over samples, as they come out of the tree.</summary>
    [MessagePackObject]
    public sealed record MetricSums(
        [property: Key(0)] float LossSum,
        [property: Key(1)] float Top1Correct,
        [property: Key(2)] float Top5Correct,
        [property: Key(3)] float Samples)
    {
        /// <summary>Reads the tail of a contribution.</summary>
        public static MetricSums From(ReadOnlySpan<float> metrics) => new(
            metrics[ContributionLayout.LossSum],
            metrics[ContributionLayout.Top1Correct],
            metrics[ContributionLayout.Top5Correct],
            metrics[ContributionLayout.Samples]);
    }
}
