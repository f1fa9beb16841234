using System.Diagnostics;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Training;
using static ConvNet.Cluster.Protocol.ShardProtocol;

namespace ConvNet.Cluster.Shards;

/// <summary>The work of a shard: adds up contributions, applies the optimizer, publishes weights. One thing after the other, never on a thread of the actors.</summary>
/// <remarks>
/// <para>Frames and orders come through one queue; what comes out are frames to whoever asked for weights, and messages to the coordinator.
/// The coordinator's orders, and all the work of a large slice, are done on the shard's own thread. A small slice's frames are done by the thread that
/// brings them, a lane in the same process: it finishes the step and goes on with the next one, without waking anybody for it.</para>
/// <para>The shard keeps the version it published last, v, and the one before. Both are needed: shards differ by at most one version
/// (nobody can contribute to step v before every shard has published v), so while step v - 1 is still incomplete somewhere, a worker that
/// comes new can get version v - 1 from all shards and compute what is missing.</para>
/// </remarks>
internal sealed class ShardEngine : ITensorReceiver
{
    private abstract record Order(TensorLease Values)
    {
        public sealed record Contribution(ContributionHeader Header, TensorLease Sum) : Order(Sum);

        public sealed record Evaluation(EvaluationHeader Header, TensorLease Sum) : Order(Sum);

        public sealed record Weights(WeightsRequest Request) : Order(TensorLease.Empty);

        public sealed record RunUntil(long Version) : Order(TensorLease.Empty);

        public sealed record Pause() : Order(TensorLease.Empty);

        public sealed record TakeSnapshot(long Version) : Order(TensorLease.Empty);

        public sealed record DropSnapshot(long Version) : Order(TensorLease.Empty);

        public sealed record Snapshot(SnapshotRequest Request) : Order(TensorLease.Empty);

        public sealed record Sums(StepSumsHeader Header, TensorLease Words) : Order(Words);

        public sealed record Totals(StepTotalsHeader Header, TensorLease Words) : Order(Words);

        public sealed record Meet(TensorTarget[] Shards) : Order(TensorLease.Empty);

        public sealed record AskAgain() : Order(TensorLease.Empty);
    }

    /// <summary>Up to this many floats are added in the time that it takes to wake a thread, or a few times that.</summary>
    private const int SmallSlice = 1 << 20;

    private readonly ShardJob _job;
    private readonly bool _isSmall;
    private readonly Action<object> _report;
    private readonly HelpedQueue<Order> _queue;
    private readonly TensorPool _contributions;
    private readonly TensorPool _evaluations = new(ContributionLayout.MetricsLength);
    private readonly List<WeightsRequest> _waiting = [];
    private readonly StepTotals? _totals;      // where a step needs sums over all parameters
    private readonly ProgressReport _progress;
    private readonly CancellationTokenSource _stopped = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();   // paces reports, and decides nothing else

    private long _limit;
    private SumTree? _step, _evaluation;   // what version _slice.Version waits for; null where it waits for nothing
    private long _snapshotAt = -1;
    private Snapshot? _snapshot;
    private bool _prepared, _diverged, _failed;     // prepared: the step that is summed
    private SliceState _slice = null!;     // made on the engine's thread

    /// <param name="job">Which shard of what.</param>
    /// <param name="report">Takes messages for the coordinator, and a <see cref="EngineFailed"/> for the actor. Called on the engine's thread.</param>
    public ShardEngine(ShardJob job, Action<object> report)
    {
        (_job, _report) = (job, report);
        _limit = job.FirstLimit ?? job.Plan.TotalSteps;
        _progress = new(job.Job);
        _totals = job.Sums > 0 ? new(job) : null;
        _queue = new(DoOrFail);
        _isSmall = job.Shards.Contribution(job.Shard).Length <= SmallSlice;
        _contributions = new(job.Shards.Contribution(job.Shard).Length);
    }

    private bool HasMetrics => _job.Shard == _job.Shards.MetricsShard;

    /// <summary>Starts the thread and opens the shard's target.</summary>
    public void Start(DedicatedThreads threads) => threads.Start($"shard {_job.Shard}", Run);

    /// <summary>Ends the thread once the orders given before are done.</summary>
    public void Stop()
    {
        _stopped.Cancel();
        _queue.Close();
    }

    /// <summary>Publish nothing beyond this version.</summary>
    public void RunUntil(long version) => _queue.TryAdd(new Order.RunUntil(version), help: false);

    /// <summary>Publish nothing more, and tell the version.</summary>
    public void Pause() => _queue.TryAdd(new Order.Pause(), help: false);

    /// <summary>These are all shards.</summary>
    public void Meet(TensorTarget[] shards) => _queue.TryAdd(new Order.Meet(shards), help: false);

    /// <summary>Time has gone by: a frame to or from another shard may be lost.</summary>
    public void AskAgain() => _queue.TryAdd(new Order.AskAgain(), help: false);

    /// <summary>Keep a snapshot of this version, now or when it is published.</summary>
    public void TakeSnapshot(long version) => _queue.TryAdd(new Order.TakeSnapshot(version), help: false);

    /// <summary>The snapshot of this version is not needed any more.</summary>
    public void DropSnapshot(long version) => _queue.TryAdd(new Order.DropSnapshot(version), help: false);

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length) => ShardAdmission.Judge(_job, header, length) switch
    {
        { } refusal => TensorDestination.Refuse(refusal),
        _ => header switch
        {
            ContributionHeader => TensorDestination.Keep(_contributions),
            EvaluationHeader => TensorDestination.Keep(_evaluations),
            StepSumsHeader or StepTotalsHeader => TensorDestination.Keep(_totals!.Frames),
            _ => TensorDestination.HeaderOnly,
        },
    };

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        Order order = header switch
        {
            ContributionHeader h => new Order.Contribution(h, values),
            EvaluationHeader h => new Order.Evaluation(h, values),
            WeightsRequest r => new Order.Weights(r),
            SnapshotRequest r => new Order.Snapshot(r),
            StepSumsHeader h => new Order.Sums(h, values),
            StepTotalsHeader h => new Order.Totals(h, values),
            _ => throw new ArgumentException($"{header} was not accepted."),
        };
        if (!_queue.TryAdd(order, _isSmall))
            values.Dispose();
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header)
    {
        // Nothing was begun with it; the worker sends it again, or another does.
    }

    private void Run()
    {
        try
        {
            _slice = new SliceState(_job, _job.Restore is null ? null : (state, optimizer) => ShardRestore.Pull(_job, state, optimizer, _stopped.Token));
            BeginVersion();
            using var target = _job.Transport.Open(_job.Target, this);
            _report(new ShardStarted(_job.Job, _job.Shard, _job.Target));
            _queue.Run();
        }
        catch (Exception e)
        {
            Fail(e);
        }
        finally
        {
            _queue.Close();
            _queue.Run();
            Release();
        }
    }

    private void DoOrFail(Order order)
    {
        if (_failed)
        {
            order.Values.Dispose();
            return;
        }

        try
        {
            Do(order);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>Whatever it is, the actor above must learn of it, and decides what it means; the lane that happens to help is not to blame.</summary>
    private void Fail(Exception e)
    {
        _failed = true;
        _report(new EngineFailed(e));
    }

    private void Do(Order order)
    {
        switch (order)
        {
            case Order.Contribution(var header, var values):
                if (header.Step == _slice.Version && _step is not null)
                    _step.Offer(new(header.Level, header.Index), values);
                else
                    values.Dispose();
                Advance();
                break;
            case Order.Evaluation(var header, var values):
                if (header.Version == _slice.Version && _evaluation is not null)
                    Evaluate(_evaluation, new(header.Level, header.Index), values);
                else
                    values.Dispose();
                Advance();
                break;
            case Order.Weights(var request):
                if (!TryAnswer(request))
                    _waiting.Add(request);
                break;
            case Order.RunUntil(var version):
                _limit = version;
                if (_slice.Version == _limit)
                    Report(new LimitReached(_job.Job, _job.Shard, _limit));
                Advance();
                break;
            case Order.TakeSnapshot(var version):
                if (version < _slice.Version)
                    Report(new SnapshotMissed(_job.Job, _job.Shard, version, _slice.Version));
                else
                    _snapshotAt = version;
                TakeSnapshotIfDue();
                break;
            case Order.DropSnapshot(var version):
                if (_snapshotAt == version)
                    _snapshotAt = -1;
                if (_snapshot?.Version == version)
                    ReleaseSnapshot();
                break;
            case Order.Snapshot(var request):
                if (_snapshot?.Version == request.Version && _snapshot.Part(request.Part) is { } part)
                    _job.Transport.Send(request.ReplyTo, new SnapshotHeader(request.Version, _job.Shard, request.Part), part);
                break;
            case Order.Sums(var header, var words):
                using (words)
                    _totals!.OnPart(header, words.Span);
                Advance();
                break;
            case Order.Totals(var header, var words):
                using (words)
                    _totals!.OnTotals(header, words.Span);
                Advance();
                break;
            case Order.Meet(var shards):
                _totals?.Meet(shards);
                Advance();
                break;
            case Order.AskAgain:
                _totals?.AskAgain();
                break;
            case Order.Pause:
                _limit = _slice.Version;
                Report(new Paused(_job.Job, _job.Shard, _limit));
                break;
        }
    }

    private void Evaluate(SumTree evaluation, TreeNode node, TensorLease values)
    {
        evaluation.Offer(node, values);
        if (!evaluation.IsComplete)
            return;

        var metrics = MetricSums.From(evaluation.Sum);
        evaluation.Dispose();
        _evaluation = null;
        if (float.IsFinite(metrics.LossSum))
            Report(new EvaluationCompleted(_job.Job, _slice.Version, metrics));
        else
            Diverge(metrics, evaluation: true);
    }

    /// <summary>Publishes the next version if its step is summed, the present version is evaluated, and the coordinator allows it.</summary>
    private void Advance()
    {
        if (_step is not { IsComplete: true } || _evaluation is not null || _slice.Version >= _limit || _diverged)
            return;

        long step = _slice.Version;
        MetricSums? metrics = HasMetrics ? MetricSums.From(_step.Sum[^ContributionLayout.MetricsLength..]) : null;
        if (metrics is not null && !float.IsFinite(metrics.LossSum))
        {
            Diverge(metrics, evaluation: false);
            return;
        }

        if (!_prepared)
        {
            _prepared = true;
            _slice.Prepare(_step.Sum, _totals is null ? [] : _totals.BeginPart(step));
            _totals?.Offer();
        }

        if (_totals is not null && !_totals.IsComplete(step))
            return;   // comes back when they are

        _slice.Apply(_step.Sum, _totals is null ? [] : _totals.Values);
        _job.Ledger?.Applied(_job.Job, _job.Shard, step, _step.MicroBatches, _step.Applied);
        _step.Dispose();
        BeginVersion();
        Publish();
        if (metrics is not null)
            Report(_progress.Add(step, metrics, _clock.Elapsed));
        TakeSnapshotIfDue();
        if (_slice.Version == _limit)
            Report(new LimitReached(_job.Job, _job.Shard, _limit));
    }

    /// <summary>After the metrics of the step before have been added to the report, and before those of the next: the coordinator's history is then the snapshot's.</summary>
    private void TakeSnapshotIfDue()
    {
        if (_snapshotAt != _slice.Version)
            return;
        _snapshotAt = -1;
        ReleaseSnapshot();
        _snapshot = _slice.TakeSnapshot();
        Report(new SnapshotTaken(_job.Job, _job.Shard, _snapshot.Version));
    }

    private void ReleaseSnapshot()
    {
        _snapshot?.Dispose();
        _snapshot = null;
    }

    private void BeginVersion()
    {
        long version = _slice.Version;
        _prepared = false;
        _step = version < _job.Plan.TotalSteps ? new(_job.Plan.MicroBatchesOf(version)) : null;
        _evaluation = HasMetrics && _job.Plan.EvaluatesAt(version) ? new(_job.Plan.EvaluationMicroBatches) : null;
    }

    private void Publish()
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            if (TryAnswer(_waiting[i]))
                _waiting.RemoveAt(i);
        }
    }

    private bool TryAnswer(WeightsRequest request)
    {
        if (_slice.OldestFrom(request.Version) is not { } found)
            return false;
        _job.Transport.Send(request.ReplyTo, new WeightsHeader(found.Version, _job.Shard), found.Weights.Share());
        return true;
    }

    private void Diverge(MetricSums metrics, bool evaluation)
    {
        _diverged = true;
        Report(new LossDiverged(_job.Job, _slice.Version, evaluation, metrics.LossSum));
    }

    /// <summary>Tells the coordinator, who hears everything in its order.</summary>
    private void Report(object? message)
    {
        if (message is not (null or StepsCompleted) && _progress.Flush() is { } steps)
            _report(steps);
        if (message is not null)
            _report(message);
    }

    private void Release()
    {
        _step?.Dispose();
        _evaluation?.Dispose();
        ReleaseSnapshot();
        _slice?.Dispose();
        _contributions.Dispose();
        _evaluations.Dispose();
        _totals?.Dispose();
    }
}
