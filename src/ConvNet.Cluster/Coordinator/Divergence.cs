using System.Globalization;
using static ConvNet.Cluster.Protocol.ShardProtocol;
using static ConvNet.Cluster.Protocol.WorkerProtocol;

namespace ConvNet.Cluster.Coordinator;

/// <summary>What a job that has diverged says of itself: where, what, and what to do.</summary>
internal static class Divergence
{
    /// <summary>Found by a worker, in one micro-batch.</summary>
    public static string Of(LossNotFinite m, CoordinatorJob job) =>
        $"{Training(m.Step, m.Loss, job)}: {m.Culprit} in micro-batch {m.MicroBatch + 1} (worker {m.Worker}). {Advice(job)}";

    /// <summary>Found by the metrics shard, in the sum.</summary>
    public static string Of(LossDiverged m, CoordinatorJob job) => m.Evaluation
        ? $"the test loss is {Word(m.LossSum)} after step {m.Step} of {job.Definition.Plan.TotalSteps}. {Advice(job)}"
        : $"{Training(m.Step, m.LossSum, job)}. {Advice(job)}";

    private static string Training(long step, float loss, CoordinatorJob job) =>
        $"the loss is {Word(loss)} at step {step + 1} of {job.Definition.Plan.TotalSteps} (epoch {job.Definition.Plan.EpochOf(step) + 1})";

    private static string Advice(CoordinatorJob job) => string.Create(
        CultureInfo.InvariantCulture, $"Lower --lr, it is {job.Spec.LearningRate}{(job.Spec.ClipNorm > 0 ? "" : ", or set --clip-norm")}.");

    private static string Word(float loss) => float.IsNaN(loss) ? "NaN" : "infinite";
}
