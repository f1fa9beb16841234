using ConvNet.Cluster.Jobs;
using ConvNet.Core.Training;
using ConvNet.Data.Checkpoints;
using static ConvNet.Cluster.Protocol.ShardProtocol;

namespace ConvNet.Cluster.Coordinator;

/// <summary>Gathers the metrics of a job, epoch by epoch, and how long it took. Time is passed in.</summary>
/// <remarks>Sums of float32 sums, added up in double in the order of the steps: the same every time.</remarks>
internal sealed class JobHistory
{
    private sealed class Sums
    {
        public double Loss, Correct, Samples;
        public double? TestLoss, TestAccuracy, TestTop5;
    }

    private readonly StepPlan _plan;
    private readonly SortedDictionary<int, Sums> _epochs = [];
    private TimeSpan _began, _last, _training;
    private readonly bool _countsTop5;
    private long _samples;

    /// <summary>The history of an attempt that begins at a version, with the metrics of the steps before.</summary>
    /// <param name="plan">Epochs and steps.</param>
    /// <param name="version">The version.</param>
    /// <param name="before">The metrics.</param>
    /// <param name="countsTop5">Whether there are so many classes that the five most probable ones mean something.</param>
    public JobHistory(StepPlan plan, long version = 0, IReadOnlyList<CheckpointEpoch>? before = null, bool countsTop5 = false)
    {
        (_plan, EverywhereVersion, _countsTop5) = (plan, version, countsTop5);
        foreach (var epoch in before ?? [])
        {
            _epochs.Add(epoch.Epoch, new()
            {
                Loss = epoch.LossSum,
                Correct = epoch.Correct,
                Samples = epoch.Samples,
                TestLoss = epoch.TestLoss,
                TestAccuracy = epoch.TestAccuracy,
                TestTop5 = epoch.TestTop5,
            });
        }
    }

    /// <summary>The metrics so far, for a checkpoint.</summary>
    public IReadOnlyList<CheckpointEpoch> Save() =>
        [.. _epochs.Select(e => new CheckpointEpoch(e.Key, (long)e.Value.Samples, e.Value.Loss, e.Value.Correct, e.Value.TestLoss, e.Value.TestAccuracy, e.Value.TestTop5))];

    /// <summary>Versions that every shard has published: one less than the steps the metrics shard has taken.</summary>
    public long EverywhereVersion { get; private set; }

    /// <summary>The version that was evaluated last; -1 before the first.</summary>
    public long EvaluatedVersion { get; private set; } = -1;

    /// <summary>The epochs that were evaluated, with their accuracy.</summary>
    public IReadOnlyCollection<(int Epoch, double Accuracy)> Accuracies =>
        [.. _epochs.Where(e => e.Value.TestAccuracy is not null).Select(e => (e.Key, e.Value.TestAccuracy!.Value))];

    /// <summary>The first step begins.</summary>
    public void Begin(TimeSpan now) => _began = _last = now;

    /// <summary>A step has been applied.</summary>
    public JobEvent.Stepped OnStep(long step, MetricSums m, TimeSpan now)
    {
        EverywhereVersion = step;
        int epoch = _plan.EpochOf(step), samples = _plan.SamplesOf(step);
        var sums = Of(epoch);
        sums.Loss += m.LossSum;
        sums.Correct += m.Top1Correct;
        sums.Samples += samples;
        _samples += samples;
        _training += now - _last;
        _last = now;
        return new(step, epoch, m.LossSum / (double)samples, m.Top1Correct / (double)samples, samples);
    }

    /// <summary>A version has been evaluated.</summary>
    public JobEvent.Evaluated On(EvaluationCompleted completed, TimeSpan now)
    {
        int epoch = _plan.EpochOf(completed.Version - 1);
        var sums = Of(epoch);
        double loss = completed.Metrics.LossSum / (double)_plan.TestSamples;
        double accuracy = completed.Metrics.Top1Correct / (double)_plan.TestSamples;
        double? top5 = _countsTop5 ? completed.Metrics.Top5Correct / (double)_plan.TestSamples : null;
        (sums.TestLoss, sums.TestAccuracy, sums.TestTop5) = (loss, accuracy, top5);
        EvaluatedVersion = completed.Version;
        _last = now;
        return new(completed.Version, epoch, loss, accuracy, top5, sums.Loss / sums.Samples);
    }

    /// <summary>The epochs so far.</summary>
    public IReadOnlyList<EpochResult> Epochs =>
        [.. _epochs.Select(e => new EpochResult(e.Key, (long)e.Value.Samples, e.Value.Loss / e.Value.Samples, e.Value.Correct / e.Value.Samples, e.Value.TestLoss, e.Value.TestAccuracy, e.Value.TestTop5))];

    /// <summary>The speed so far.</summary>
    public Throughput Throughput => new(_last - _began, _training, _samples);

    private Sums Of(int epoch)
    {
        if (!_epochs.TryGetValue(epoch, out var sums))
            _epochs.Add(epoch, sums = new());
        return sums;
    }
}
