using ConvNet.Cluster.Jobs;

namespace ConvNet.Cluster.Management;

/// <summary>Where a submitted job stands.</summary>
public enum JobState
{
    /// <summary>It waits for its turn.</summary>
    Queued = 0,

    /// <summary>It is being trained.</summary>
    Running = 1,

    /// <summary>It is its turn, but no worker (or no server) is there; it goes on when one comes.</summary>
    WaitingForWorkers = 2,

    /// <summary>All steps are taken, and the model can be fetched.</summary>
    Done = 3,

    /// <summary>It could not be brought to its end; <see cref="JobRecord.Failure"/> says why. It can be resumed.</summary>
    Failed = 4,

    /// <summary>Somebody cancelled it. It can be resumed.</summary>
    Cancelled = 5,
}

/// <summary>What somebody submits.</summary>
/// <param name="Spec">The job.</param>
/// <param name="Priority">Higher goes first; equal ones in the order of submission.</param>
/// <param name="Name">A name for people; null for the model's and the data's.</param>
public sealed record JobSubmission(JobSpec Spec, int Priority = 0, string? Name = null);

/// <summary>A submitted job, as it is kept and shown.</summary>
/// <param name="Id">Such as <c>j7</c>: counts up, never used twice.</param>
/// <param name="Name">A name for people.</param>
/// <param name="Spec">The job.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Submitted">When it was submitted.</param>
/// <param name="Started">When it first began to train; null before.</param>
/// <param name="Ended">When it was done, failed or was cancelled; null before, and again after a resume.</param>
/// <param name="Attempt">Numbers its attempts: 0 before the first, then 1; one more with each resume, each lost server and each restart of the coordinator.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="TotalSteps">Steps of the job; 0 until it is known.</param>
/// <param name="Loss">Mean training loss of the newest steps; null before the first.</param>
/// <param name="TestLoss">Mean loss on the test set, as last evaluated.</param>
/// <param name="TestAccuracy">Share of right answers on the test set, from 0 to 1, as last evaluated.</param>
/// <param name="SamplesPerSecond">Training samples a second of late; null before it is known.</param>
/// <param name="CheckpointStep">The step of the newest checkpoint; null where there is none.</param>
/// <param name="WeightsSha256">The hash of the weights, once it is done.</param>
/// <param name="Failure">Why it failed.</param>
/// <param name="TestTop5">Share of test samples whose class was among the five most probable, as last evaluated; null where that is not counted.</param>
/// <param name="LogLines">Lines of its log that are kept: the sequence number of the last one.</param>
public sealed record JobRecord(
    string Id,
    string Name,
    JobSpec Spec,
    int Priority,
    JobState State,
    DateTimeOffset Submitted,
    DateTimeOffset? Started = null,
    DateTimeOffset? Ended = null,
    int Attempt = 0,
    long Step = 0,
    long TotalSteps = 0,
    double? Loss = null,
    double? TestLoss = null,
    double? TestAccuracy = null,
    double? SamplesPerSecond = null,
    long? CheckpointStep = null,
    string? WeightsSha256 = null,
    string? Failure = null,
    double? TestTop5 = null,
    long LogLines = 0)
{
    /// <summary>The number in <see cref="Id"/>: the place in the order of submission, from 1.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int Number => JobId.NumberOf(Id) ?? 0;

    /// <summary>Whether it is its turn: it is being trained, or would be if there were workers.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsActive => State is JobState.Running or JobState.WaitingForWorkers;

    /// <summary>Whether it is done, has failed or was cancelled.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool HasEnded => State is JobState.Done or JobState.Failed or JobState.Cancelled;
}

/// <summary>Something that happened to a job: a line of its log.</summary>
/// <param name="Sequence">Counts the lines of one job from 1. 0 in a line that is shown live and not kept (<c>progress</c>).</param>
/// <param name="Time">When.</param>
/// <param name="Kind">What, in one word for programs: <c>submitted started begins waiting worker-joined worker-lost worker-behind worker-caught-up epoch early-stop checkpoint fallback resumed cancelled done failed warning progress</c>.</param>
/// <param name="Text">What, in words for people.</param>
/// <param name="Record">The job as it stood then.</param>
public sealed record JobLogEntry(long Sequence, DateTimeOffset Time, string Kind, string Text, JobRecord Record);

/// <summary>A node of the cluster, as it is shown.</summary>
/// <param name="Name">The node's name for people, such as <c>worker-1</c> or its host and port.</param>
/// <param name="Address">Its address in the cluster.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="State">Such as <c>up</c>, <c>unreachable</c>, <c>leaving</c>, or why it is not used.</param>
/// <param name="Lanes">Lanes of its worker; 0 where it has none.</param>
/// <param name="Version">Version of the program.</param>
/// <param name="MicroBatchesPerSecond">How fast its worker is in the running job; null where it takes no part.</param>
public sealed record NodeRecord(
    string Name, string Address, IReadOnlyList<string> Roles, string State, int Lanes, string Version, double? MicroBatchesPerSecond = null);
