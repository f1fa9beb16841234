using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Training;
using static ConvNet.Cluster.Protocol.ShardProtocol;

namespace ConvNet.Cluster.Shards;

/// <summary>The work of a shard: adds up contributions, applies the optimizer, publishes weights. All of it on one thread of its own.</summary>
/// <remarks>
/// <para>Frames and orders come through one queue; what comes out are frames to whoever asked for weights, and messages to the coordinator.</para>
/// <para>The shard keeps the version it published last, v, and the one before. Both are needed: shards differ by at most one version
/// (nobody can contribute to step v before every shard has published v), so while step v - 1 is still incomplete somewhere, a worker that
/// comes new can get version v - 1 from all shards and compute what is missing.</para>
/// </remarks>
internal sealed class ShardEngine : ITensorReceiver
{
    private abstract record Order
    {
        public sealed record Contribution(ContributionHeader Header, TensorLease Values) : Order;

        public sealed record Evaluation(EvaluationHeader Header, TensorLease Values) : Order;

        public sealed record Weights(WeightsRequest Request) : Order;

        public sealed record RunUntil(long Version) : Order;

        public sealed record Pause : Order;
    }

    private readonly ShardJob _job;
    private readonly Action<object> _report;
    private readonly WorkQueue<Order> _queue = new();
    private readonly TensorPool _contributions;
    private readonly TensorPool _evaluations = new(ContributionLayout.MetricsLength);
    private readonly List<WeightsRequest> _waiting = [];

    private long _limit;
    private SumTree? _step, _evaluation;   // what version _slice.Version waits for; null where it waits for nothing
    private bool _diverged;
    private SliceState _slice = null!;     // made on the engine's thread

    /// <param name="job">Which shard of what.</param>
    /// <param name="report">Takes messages for the coordinator, and a <see cref="EngineFailed"/> for the actor. Called on the engine's thread.</param>
    public ShardEngine(ShardJob job, Action<object> report)
    {
        (_job, _report) = (job, report);
        _limit = job.Plan.TotalSteps;
        _contributions = new(job.Shards.Contribution(job.Shard).Length);
    }

    private bool HasMetrics => _job.Shard == _job.Shards.MetricsShard;

    /// <summary>Starts the thread and opens the shard's target.</summary>
    public void Start(DedicatedThreads threads) => threads.Start($"shard {_job.Shard}", Run);

    /// <summary>Ends the thread once the orders given before are done.</summary>
    public void Stop() => _queue.Close();

    /// <summary>Publish nothing beyond this version.</summary>
    public void RunUntil(long version) => _queue.TryAdd(new Order.RunUntil(version));

    /// <summary>Publish nothing more, and tell the version.</summary>
    public void Pause() => _queue.TryAdd(new Order.Pause());

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length) => ShardAdmission.Judge(_job, header, length) switch
    {
        { } refusal => TensorDestination.Refuse(refusal),
        _ => header switch
        {
            ContributionHeader => TensorDestination.Keep(_contributions),
            EvaluationHeader => TensorDestination.Keep(_evaluations),
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
            _ => throw new ArgumentException($"{header} was not accepted."),
        };
        if (!_queue.TryAdd(order))
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
            _slice = new SliceState(_job);
            BeginVersion();
            using var target = _job.Transport.Open(_job.Target, this);
            _report(new ShardStarted(_job.Job, _job.Shard, _job.Target));
            while (_queue.TryTake(out var order))
                Do(order);
        }
        catch (Exception e)
        {
            // Whatever it is, the actor above must learn of it; it decides what the failure means.
            _report(new EngineFailed(e));
        }
        finally
        {
            Release();
        }
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
                    _report(new LimitReached(_job.Job, _job.Shard, _limit));
                Advance();
                break;
            case Order.Pause:
                _limit = _slice.Version;
                _report(new Paused(_job.Job, _job.Shard, _limit));
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
            _report(new EvaluationCompleted(_job.Job, _slice.Version, metrics));
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

        _slice.Apply(_step.Sum);
        _job.Ledger?.Applied(_job.Shard, step, _step.MicroBatches, _step.Applied);
        _step.Dispose();
        BeginVersion();
        Publish();
        if (metrics is not null)
            _report(new StepCompleted(_job.Job, step, metrics));
        if (_slice.Version == _limit)
            _report(new LimitReached(_job.Job, _job.Shard, _limit));
    }

    private void BeginVersion()
    {
        long version = _slice.Version;
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
        _report(new LossDiverged(_job.Job, _slice.Version, evaluation, metrics.LossSum));
    }

    private void Release()
    {
        _queue.Close();
        while (_queue.TryTake(out var order))
        {
            if (order is Order.Contribution(_, var contribution))
                contribution.Dispose();
            else if (order is Order.Evaluation(_, var metrics))
                metrics.Dispose();
        }

        _step?.Dispose();
        _evaluation?.Dispose();
        _slice?.Dispose();
        _contributions.Dispose();
        _evaluations.Dispose();
    }
}
