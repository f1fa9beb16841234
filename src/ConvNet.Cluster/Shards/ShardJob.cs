using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Numerics;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Shards;

/// <summary>Which shard of which job this is, and what it works with.</summary>
internal sealed record ShardJob(string Job, int Shard, ShardPlan Shards, IJobDefinition Definition, ITensorTransport Transport, IAppliedLedger? Ledger)
{
    /// <summary>The version that the attempt begins with.</summary>
    public long FirstVersion { get; init; }

    /// <summary>Where to get that version; null for a version 0 that is made from the seed.</summary>
    public TensorTarget? Restore { get; init; }

    /// <summary>Nothing is published beyond this version until the coordinator says so; null for the job's last version.</summary>
    public long? FirstLimit { get; init; }

    /// <summary>Epochs and steps.</summary>
    public StepPlan Plan => Definition.Plan;

    /// <summary>Sums over all parameters that a step needs before it is applied.</summary>
    public int Sums { get; } = Definition.CreateUpdate().Sums;

    /// <summary>Where the shard's frames go.</summary>
    public TensorTarget Target { get; } = new(Transport.Endpoint, Job, $"shard-{Shard}");
}

/// <summary>Is told what each step was made of, by each shard: for tests that every micro-batch was applied exactly once.</summary>
public interface IAppliedLedger
{
    /// <summary>A shard has applied a step whose sum is made of these nodes. Called on the shards' threads.</summary>
    void Applied(string job, int shard, long step, int microBatches, IReadOnlyList<TreeNode> nodes);
}

/// <summary>Decides whether a frame can be meant for a shard. Pure: it judges by the job's plan alone, before a float is received.</summary>
internal static class ShardAdmission
{
    /// <summary>Why the frame is refused, or null.</summary>
    public static string? Judge(ShardJob job, ITensorHeader header, int length) => header switch
    {
        ContributionHeader h => Step(job, h, length),
        EvaluationHeader h => Evaluation(job, h, length),
        WeightsRequest r => Request(job, r, length),
        StepSumsHeader h => Sums(job, h, length),
        StepTotalsHeader h => job.Sums == 0 || job.Shard == job.Shards.MetricsShard
            ? $"shard {job.Shard} was not told to expect totals"
            : NoStep(job, h.Step) ?? WrongLength(length, job.Sums * ExactSum.Words),
        SnapshotRequest r => r.ReplyTo.Job == job.Job ? WrongLength(length, 0) : $"asked for job {r.ReplyTo.Job}, this is job {job.Job}",
        _ => $"shard {job.Shard} takes no {header.GetType().Name}",
    };

    private static string? Step(ShardJob job, ContributionHeader h, int length)
    {
        if (NoStep(job, h.Step) is { } wrong)
            return wrong;
        int expected = job.Shards.Contribution(job.Shard).Length;
        return NotIn(new(h.Level, h.Index), job.Plan.MicroBatchesOf(h.Step)) ?? WrongLength(length, expected);
    }

    private static string? Sums(ShardJob job, StepSumsHeader h, int length)
    {
        if (job.Sums == 0 || job.Shard != job.Shards.MetricsShard || h.Shard < 0 || h.Shard >= job.Shards.Shards || h.Shard == job.Shard)
            return $"shard {job.Shard} does not gather sums of shard {h.Shard}";
        return NoStep(job, h.Step) ?? WrongLength(length, job.Sums * ExactSum.Words);
    }

    private static string? NoStep(ShardJob job, long step) =>
        step < 0 || step >= job.Plan.TotalSteps ? $"step {step} is not among the job's {job.Plan.TotalSteps}" : null;

    private static string? Evaluation(ShardJob job, EvaluationHeader h, int length)
    {
        if (job.Shard != job.Shards.MetricsShard)
            return $"shard {job.Shard} does not evaluate, shard {job.Shards.MetricsShard} does";
        if (h.Version < 0 || h.Version > job.Plan.TotalSteps || !job.Plan.EvaluatesAt(h.Version))
            return $"version {h.Version} is not evaluated";
        return NotIn(new(h.Level, h.Index), job.Plan.EvaluationMicroBatches) ?? WrongLength(length, ContributionLayout.MetricsLength);
    }

    private static string? Request(ShardJob job, WeightsRequest r, int length)
    {
        if (r.Version < 0 || r.Version > job.Plan.TotalSteps)
            return $"there will be no version {r.Version}";
        return r.ReplyTo.Job == job.Job ? WrongLength(length, 0) : $"asked for job {r.ReplyTo.Job}, this is job {job.Job}";
    }

    private static string? NotIn(TreeNode node, int microBatches) =>
        node.IsIn(microBatches) ? null : $"{node} is not in the tree over {microBatches} micro-batches";

    private static string? WrongLength(int length, int expected) =>
        length == expected ? null : $"expected {expected} floats, got {length}";
}
