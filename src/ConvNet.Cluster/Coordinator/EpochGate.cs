using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Coordinator;

/// <summary>Lets a job rest at the end of each epoch, where its result depends on how good the epochs were: early stopping, and keeping the best weights.</summary>
/// <remarks>
/// <code>
/// shards run until the end of the epoch ──all there, and evaluated──▶ best so far and to be kept: collect the weights ──▶ over, or on to the next epoch
/// </code>
/// All shards rest at the same version, and the decision depends on the metrics alone: so a job that ends early ends at the same step with the same weights,
/// however many machines it had. The price is one round trip an epoch, and the best weights in the coordinator's memory.
/// Part of <see cref="JobCoordinator"/>, on its thread.
/// </remarks>
internal sealed class EpochGate : IDisposable
{
    private readonly CoordinatorJob _job;
    private readonly ShardPlan _plan;
    private readonly JobHistory _history;
    private StateCollector? _collector;

    private EpochGate(CoordinatorJob job, ShardPlan plan, JobHistory history)
    {
        (_job, _plan, _history) = (job, plan, history);
        long from = job.From?.Step ?? 0, length = job.Definition.Plan.StepsPerEpoch;
        RestsAt = job.Definition.Plan.EvaluatesAt(from) ? from : ((from / length) + 1) * length;
        if (job.From?.Best is { } best && BestEpoch.Of(history.Accuracies.Where(e => VersionOf(e.Epoch) < from)) is { } epoch)
            Best = (epoch, best.Share());
    }

    /// <summary>The gate of a job; null where it needs none, or has come to its end.</summary>
    public static EpochGate? For(CoordinatorJob job, ShardPlan plan, JobHistory history)
    {
        var steps = job.Definition.Plan;
        return (job.Spec.EarlyStop > 0 || job.Spec.Keep == KeptWeights.Best) && steps.TestSamples > 0 && (job.From?.Step ?? 0) <= steps.TotalSteps - 1
            ? new(job, plan, history)
            : null;
    }

    /// <summary>The version at which all shards wait for the decision.</summary>
    public long RestsAt { get; private set; }

    /// <summary>The version that was decided on last; -1 before the first.</summary>
    public long DecidedAt { get; private set; } = -1;

    /// <summary>The best weights that were kept, and the epoch they are of.</summary>
    public (int Epoch, TensorLease State)? Best { get; private set; }

    /// <summary>Whether weights are being collected.</summary>
    public bool IsKeeping => _collector is not null;

    /// <summary>Whether the job ends at <see cref="RestsAt"/>.</summary>
    public bool IsOver => RestsAt == _job.Definition.Plan.TotalSteps || BestEpoch.IsOver(_history.Accuracies, _job.Spec.EarlyStop);

    /// <summary>The epoch whose weights are to be the result; null for those of the last step.</summary>
    public int? Wanted => _job.Spec.Keep == KeptWeights.Best ? BestEpoch.Of(_history.Accuracies) : null;

    /// <summary>The version of the weights at the end of an epoch.</summary>
    public long VersionOf(int epoch) => (epoch + 1L) * _job.Definition.Plan.StepsPerEpoch;

    /// <summary>Collects the weights that the shards rest at if they are the best so far.</summary>
    /// <param name="shards">Where the shards are.</param>
    /// <param name="kept">Is given the weights, on any thread.</param>
    /// <returns>Whether it does; otherwise the decision can be made at once.</returns>
    public bool KeepIfBest(TensorTarget[] shards, Action<TensorLease> kept)
    {
        if (Wanted is not { } epoch || VersionOf(epoch) != RestsAt)
            return false;
        _collector = new StateCollector(_job.Job, _plan, shards, RestsAt, _job.Transport, kept);
        _collector.Ask();
        return true;
    }

    /// <summary>The weights are here.</summary>
    public void OnKept(TensorLease state)
    {
        _collector?.Dispose();
        _collector = null;
        Best?.State.Dispose();
        Best = (_job.Definition.Plan.EpochOf(RestsAt - 1), state);
    }

    /// <summary>The job goes on to the end of the next epoch, or ends here.</summary>
    public void Decide(bool over)
    {
        DecidedAt = RestsAt;
        if (!over)
            RestsAt += _job.Definition.Plan.StepsPerEpoch;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _collector?.Dispose();
        Best?.State.Dispose();
    }
}
