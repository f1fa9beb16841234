using MessagePack;

namespace ConvNet.Cluster.Protocol;

/// <summary>Where a tensor frame goes: a node, a job on it, and a part of the job.</summary>
/// <param name="Endpoint">The node's endpoint, as its transport announces it.</param>
/// <param name="Job">The job.</param>
/// <param name="Part">For example <c>shard-0</c> or <c>worker-3</c>.</param>
[MessagePackObject]
public sealed record TensorTarget(
    [property: Key(0)] string Endpoint,
    [property: Key(1)] string Job,
    [property: Key(2)] string Part)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Part} of job {Job} at {Endpoint}";
}

/// <summary>What a tensor frame is. Keys are for ever: append, never renumber.</summary>
[Union(0, typeof(ContributionHeader))]
[Union(1, typeof(EvaluationHeader))]
[Union(2, typeof(WeightsRequest))]
[Union(3, typeof(WeightsHeader))]
[Union(4, typeof(SnapshotRequest))]
[Union(5, typeof(SnapshotHeader))]
[Union(6, typeof(RestoreRequest))]
[Union(7, typeof(RestoreHeader))]
[Union(8, typeof(StepSumsHeader))]
[Union(9, typeof(StepTotalsHeader))]
[Union(10, typeof(DataRequest))]
[Union(11, typeof(DataHeader))]
public interface ITensorHeader;

/// <summary>Worker → shard: the sum of a tree node's contributions to a step, the shard's range of it.</summary>
[MessagePackObject]
public sealed record ContributionHeader(
    [property: Key(0)] long Step,
    [property: Key(1)] int Level,
    [property: Key(2)] int Index) : ITensorHeader;

/// <summary>Worker → metrics shard: the sum of a tree node's metrics over the test set, with the weights of a version.</summary>
[MessagePackObject]
public sealed record EvaluationHeader(
    [property: Key(0)] long Version,
    [property: Key(1)] int Level,
    [property: Key(2)] int Index) : ITensorHeader;

/// <summary>Whoever wants weights → shard: your slice of the oldest version you have that is not older than this; when you have one. No floats.</summary>
/// <remarks>Answered by one <see cref="WeightsHeader"/>. One request a shard is under way at a time: that is all the back-pressure there is to it.</remarks>
[MessagePackObject]
public sealed record WeightsRequest(
    [property: Key(0)] long Version,
    [property: Key(1)] TensorTarget ReplyTo) : ITensorHeader;

/// <summary>Shard → whoever asked: my slice of the state at a version.</summary>
[MessagePackObject]
public sealed record WeightsHeader(
    [property: Key(0)] long Version,
    [property: Key(1)] int Shard) : ITensorHeader;

/// <summary>Coordinator → shard: a part of the snapshot that you hold. No floats. Answer: <see cref="SnapshotHeader"/>.</summary>
/// <param name="Version">The snapshot's version.</param>
/// <param name="Part">0: the shard's slice of the state. From 1: its slice of a plane of the optimizer's state.</param>
/// <param name="ReplyTo">Who wants it.</param>
[MessagePackObject]
public sealed record SnapshotRequest(
    [property: Key(0)] long Version,
    [property: Key(1)] int Part,
    [property: Key(2)] TensorTarget ReplyTo) : ITensorHeader;

/// <summary>Shard → coordinator: a part of a snapshot.</summary>
[MessagePackObject]
public sealed record SnapshotHeader(
    [property: Key(0)] long Version,
    [property: Key(1)] int Shard,
    [property: Key(2)] int Part) : ITensorHeader;

/// <summary>Shard → coordinator: a shard's range of what the attempt begins with. No floats. Answer: <see cref="RestoreHeader"/>.</summary>
/// <param name="Shard">Which range.</param>
/// <param name="Part">As in <see cref="SnapshotRequest"/>.</param>
/// <param name="ReplyTo">Who wants it.</param>
[MessagePackObject]
public sealed record RestoreRequest(
    [property: Key(0)] int Shard,
    [property: Key(1)] int Part,
    [property: Key(2)] TensorTarget ReplyTo) : ITensorHeader;

/// <summary>Coordinator → shard: your range of a part of what the attempt begins with.</summary>
[MessagePackObject]
public sealed record RestoreHeader(
    [property: Key(0)] int Part) : ITensorHeader;

/// <summary>Shard → metrics shard: my part of the sums over all parameters that a step needs. Answer: <see cref="StepTotalsHeader"/>, when all parts are there.</summary>
[MessagePackObject]
public sealed record StepSumsHeader(
    [property: Key(0)] long Step,
    [property: Key(1)] int Shard) : ITensorHeader;

/// <summary>Metrics shard → shard: the sums of a step over all parameters.</summary>
[MessagePackObject]
public sealed record StepTotalsHeader(
    [property: Key(0)] long Step) : ITensorHeader;

/// <summary>Node → coordinator's node: a piece of a file of the data set that the target is named after. No floats.</summary>
/// <param name="File">The file's place in the manifest.</param>
/// <param name="Offset">Where the piece starts, in bytes.</param>
/// <param name="Length">Bytes, at most 1 MB.</param>
/// <param name="ReplyTo">Where the answer goes, one <see cref="DataHeader"/>. It may be dropped: who needs it asks again.</param>
[MessagePackObject]
public sealed record DataRequest(
    [property: Key(0)] int File,
    [property: Key(1)] long Offset,
    [property: Key(2)] int Length,
    [property: Key(3)] TensorTarget ReplyTo) : ITensorHeader;

/// <summary>Coordinator's node → node: the piece. Its bytes are those of the floats, and zeros up to a multiple of 4.</summary>
/// <param name="File">As asked.</param>
/// <param name="Offset">As asked.</param>
/// <param name="Length">As asked; 0 where the file cannot be read any more.</param>
[MessagePackObject]
public sealed record DataHeader(
    [property: Key(0)] int File,
    [property: Key(1)] long Offset,
    [property: Key(2)] int Length) : ITensorHeader;
