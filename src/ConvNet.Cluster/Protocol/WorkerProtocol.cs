using ConvNet.Cluster.Jobs;
using MessagePack;

namespace ConvNet.Cluster.Protocol;

/// <summary>A message that may cross the wire. Every one has a manifest in <see cref="ClusterSerializer"/>.</summary>
public interface IClusterMessage;

/// <summary>All that the coordinator of a job and its workers say to one another.</summary>
/// <remarks>Keys are for ever: append, never renumber, never reuse. Gradients and weights do not travel here but as tensor frames.</remarks>
public static class WorkerProtocol
{
    /// <summary>Coordinator → worker: take part in this job. Answer: <see cref="WorkerReady"/>, or <see cref="WorkerFailed"/>.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Spec">The job file; the worker makes its runtime from it.</param>
    /// <param name="Worker">The worker's number in the job; never used twice.</param>
    /// <param name="Shards">Where the shards are, shard 0 first.</param>
    /// <param name="Version">A version of the weights that every shard has published: where to begin asking.</param>
    /// <param name="Data">What the job is trained on, and where to get it; null in a run within one process.</param>
    [MessagePackObject]
    public sealed record StartWorker(
        [property: Key(0)] string Job,
        [property: Key(1)] JobSpec Spec,
        [property: Key(2)] int Worker,
        [property: Key(3)] TensorTarget[] Shards,
        [property: Key(4)] long Version,
        [property: Key(5)] DataOrigin? Data = null) : IClusterMessage;

    /// <summary>Worker → coordinator: I hold all weights of a version and follow the job; give me work.</summary>
    [MessagePackObject]
    public sealed record WorkerReady(
        [property: Key(0)] string Job,
        [property: Key(1)] int Worker,
        [property: Key(2)] long Version) : IClusterMessage;

    /// <summary>Coordinator → worker: how the work is shared, from now until the next one. The one with the highest number holds.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Number">Counts the job's assignments.</param>
    /// <param name="Index">The worker's place among the weights.</param>
    /// <param name="Weights">How much of the work each worker gets, in proportion.</param>
    [MessagePackObject]
    public sealed record Assign(
        [property: Key(0)] string Job,
        [property: Key(1)] int Number,
        [property: Key(2)] int Index,
        [property: Key(3)] int[] Weights) : IClusterMessage;

    /// <summary>Worker → coordinator: this is how fast I compute. Told when it has changed, at most once a second.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Worker">The worker.</param>
    /// <param name="Lanes">Its lanes.</param>
    /// <param name="MicroBatchesPerSecond">Of all lanes together, while they compute.</param>
    [MessagePackObject]
    public sealed record WorkerSpeed(
        [property: Key(0)] string Job,
        [property: Key(1)] int Worker,
        [property: Key(2)] int Lanes,
        [property: Key(3)] double MicroBatchesPerSecond) : IClusterMessage;

    /// <summary>Coordinator → worker: how far are you? Answer: <see cref="SoFar"/>, at once.</summary>
    [MessagePackObject]
    public sealed record HowFar([property: Key(0)] string Job) : IClusterMessage;

    /// <summary>Worker → coordinator: this is the version I hold, and whether I have done all of my share of it.</summary>
    [MessagePackObject]
    public sealed record SoFar(
        [property: Key(0)] string Job,
        [property: Key(1)] int Worker,
        [property: Key(2)] long Version,
        [property: Key(3)] bool Idle) : IClusterMessage;

    /// <summary>Worker → coordinator: I am about to stop, for this reason. The stop itself is seen by death watch.</summary>
    [MessagePackObject]
    public sealed record WorkerFailed(
        [property: Key(0)] string Job,
        [property: Key(1)] int Worker,
        [property: Key(2)] string Reason) : IClusterMessage;

    /// <summary>Worker → coordinator: the loss of a micro-batch is not finite. It is not pushed: the step is never completed.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Worker">The worker.</param>
    /// <param name="Step">The step.</param>
    /// <param name="MicroBatch">The micro-batch, from 0.</param>
    /// <param name="Loss">What was found.</param>
    /// <param name="Culprit">What was not finite first, as a clause.</param>
    [MessagePackObject]
    public sealed record LossNotFinite(
        [property: Key(0)] string Job,
        [property: Key(1)] int Worker,
        [property: Key(2)] long Step,
        [property: Key(3)] int MicroBatch,
        [property: Key(4)] float Loss,
        [property: Key(5)] string Culprit) : IClusterMessage;

    /// <summary>Coordinator → worker: the job is over. The worker gives back what it holds and stops.</summary>
    [MessagePackObject]
    public sealed record StopWorker([property: Key(0)] string Job) : IClusterMessage;
}
