using System.Diagnostics;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shares;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Workers;

/// <summary>The work of a worker: gathers weights, hands out micro-batches to its lanes, sends their sums to the servers.</summary>
/// <remarks>
/// <para>One lock guards a few fields, is held for microseconds, and never while floats are added, copied or sent. Lanes fetch their own work.</para>
/// <para><b>No micro-batch is lost</b>, whoever dies when. Say step t is incomplete at some shard. That shard has not published t + 1, so
/// nobody can hold all of t + 1, and nobody can have contributed to step t + 1: every shard's version is t or t + 1, and every shard still has
/// version t (it keeps two). A live worker that holds an older version asks for the next, is given versions up to t, and so arrives at t. A live worker at t
/// stays there until all shards have published t + 1, which is until step t is complete at all of them. Meanwhile it computes its share of step t by the
/// newest assignment, less what it has computed of t already; and once every worker has the newest assignment, these shares make up all
/// micro-batches. What is computed or sent twice, the shards drop. The same holds of evaluations: the metrics shard publishes no t + 1 before t is evaluated.</para>
/// </remarks>
internal sealed class WorkerEngine : ITensorReceiver
{
    private readonly WorkerJob _job;
    private readonly Action<object> _report;
    private readonly Lock _gate = new();
    private readonly ReplicaTracker _tracker;
    private readonly Replica[] _replicas;
    private readonly TensorPool _contributions;
    private readonly TensorPool _evaluations = new(ContributionLayout.MetricsLength);
    private readonly LaneCrew _crew;
    private readonly SpeedMeter _speed;
    private readonly Stopwatch _clock = Stopwatch.StartNew();   // for the speed, and nothing else
    private readonly List<Phase> _phases = [];   // those of the newest version held, in the order in which they are worked on
    private IDisposable? _open;
    private Assignment? _assignment;
    private int _gathering;                      // the replica that the next version arrives in
    private long _version = -1;                  // the newest version held
    private bool _complete, _ready, _stopped;    // _complete: the version of the tracker is held, the next is not asked for yet

    /// <param name="job">Which worker of what.</param>
    /// <param name="report">Takes messages for the coordinator, and a <see cref="EngineFailed"/> for the actor. Called on any thread.</param>
    public WorkerEngine(WorkerJob job, Action<object> report)
    {
        (_job, _report) = (job, report);
        _tracker = new(job.Targets.Length);
        _contributions = new(job.Runtime.Layout.Length);
        _replicas = [new(job.Runtime.Layout.StateLength), new(job.Runtime.Layout.StateLength)];
        _speed = new(job.Lanes);
        Delivery = new(job, _gate);
        _crew = new LaneCrew(job, this);
    }

    /// <summary>Where the lanes' sums go.</summary>
    public Delivery Delivery { get; }

    /// <summary>Starts the lanes, and asks for the weights of a version.</summary>
    public void Start(DedicatedThreads threads, long version)
    {
        _open = _job.Transport.Open(_job.Target, this);
        _crew.Start(threads);
        List<Ask> asks;
        lock (_gate)
            asks = _tracker.Begin(version);
        Send(asks);
    }

    /// <summary>Shares the work anew, in the version at hand too.</summary>
    public void Assign(Assignment assignment)
    {
        lock (_gate)
        {
            if (_stopped || assignment.Number <= (_assignment?.Number ?? -1))
                return;
            _assignment = assignment;
            foreach (var phase in _phases)
                Extend(phase);
        }

        _crew.Wake();
    }

    /// <summary>How far this worker is.</summary>
    public WorkerProtocol.SoFar SoFar()
    {
        lock (_gate)
        {
            bool idle = _ready && _replicas.All(r => r.Readers == 0) && !_phases.Exists(p => p.Runs.HasNext);
            return new(_job.Job, _job.Worker, _version, idle);
        }
    }

    /// <summary>Ends the lanes once they have computed what they are at; nothing is sent any more. Gives everything back when the last has ended.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            if (_stopped)
                return;
            _stopped = true;
            Delivery.Stop();
            ClosePhases();
        }

        _open?.Dispose();
        _crew.Wake();
    }

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length)
    {
        if (header is not WeightsHeader h)
            return TensorDestination.Refuse($"a worker takes weights, not a {header.GetType().Name}");
        lock (_gate)
        {
            if (_stopped || h.Version > _job.Plan.TotalSteps || !_tracker.Expects(h.Shard, h.Version))
                return TensorDestination.Refuse($"nobody asked shard {h.Shard} for version {h.Version}");
            var range = _job.Shards.State(h.Shard);
            if (length != range.Length)
                return TensorDestination.Refuse($"expected {range.Length} floats, got {length}");
            return TensorDestination.Into(_replicas[_gathering].Values.Slice(range.Start, range.Length));
        }
    }

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        values.Dispose();
        var (version, shard) = (WeightsHeader)header;
        bool complete, first = false;
        List<Ask> asks;
        lock (_gate)
        {
            if (_stopped)
                return;
            (complete, asks) = _tracker.Arrived(shard, version);
            if (complete)
            {
                first = !_ready;
                _ready = _complete = true;
                BeginVersion();
                asks = GatherNext();
            }
        }

        if (complete)
            _crew.Wake();
        Send(asks);
        if (first)
            _report(new WorkerProtocol.WorkerReady(_job.Job, _job.Worker, version));
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header)
    {
        List<Ask> asks;
        lock (_gate)
            asks = _stopped ? [] : _tracker.Lost(((WeightsHeader)header).Shard);
        Send(asks);
    }

    /// <summary>A micro-batch for a lane, if one waits.</summary>
    internal bool TryTake(out Phase phase, out int microBatch, out bool stopped)
    {
        lock (_gate)
        {
            stopped = _stopped;
            foreach (var candidate in _phases)
            {
                if (!candidate.Runs.TryTake(out microBatch))
                    continue;
                phase = candidate;
                phase.Weights.Readers++;
                return true;
            }
        }

        (phase, microBatch) = (null!, 0);
        return false;
    }

    /// <summary>A buffer for what a micro-batch gives to a phase.</summary>
    internal TensorLease Rent(Phase phase) => (phase.Trains ? _contributions : _evaluations).Rent();

    /// <summary>A lane has computed a micro-batch of a step.</summary>
    internal void Computed(TimeSpan took)
    {
        double? speed;
        lock (_gate)
            speed = _speed.Computed(took, _clock.Elapsed);
        if (speed is not null)
            _report(new WorkerProtocol.WorkerSpeed(_job.Job, _job.Worker, _job.Lanes, speed.Value));
    }

    /// <summary>A micro-batch has a loss that is not finite.</summary>
    internal void Diverged(Phase phase, int microBatch, LossNotFiniteException why) =>
        _report(new WorkerProtocol.LossNotFinite(_job.Job, _job.Worker, phase.Version, microBatch, why.Loss, why.Culprit));

    /// <summary>A lane no longer reads the weights of a phase.</summary>
    internal void DoneReading(Phase phase)
    {
        List<Ask> asks;
        lock (_gate)
        {
            phase.Weights.Readers--;
            asks = GatherNext();
        }

        Send(asks);
    }

    /// <summary>A lane has failed, and with it the worker: nothing more leaves it.</summary>
    internal void Fail(Exception reason)
    {
        Stop();
        _report(new EngineFailed(reason));
    }

    /// <summary>The last lane has ended.</summary>
    internal void Release()
    {
        foreach (var replica in _replicas)
            replica.Dispose();
        _contributions.Dispose();
        _evaluations.Dispose();
    }

    // From here on: callers hold the lock.

    private void BeginVersion()
    {
        ClosePhases();
        long version = _version = _tracker.Version;
        var weights = _replicas[_gathering];
        if (_job.Plan.EvaluatesAt(version))
            _phases.Add(new(trains: false, version, _job.Plan.EvaluationMicroBatches, parts: 1, weights));
        if (version < _job.Plan.TotalSteps)
            _phases.Add(new(trains: true, version, _job.Plan.MicroBatchesOf(version), _job.Shards.Shards, weights));
        foreach (var phase in _phases)
            Extend(phase);
    }

    private void ClosePhases()
    {
        foreach (var phase in _phases)
            phase.Close();
        _phases.Clear();
    }

    private void Extend(Phase phase)
    {
        if (_assignment is not { } assignment)
            return;
        var (start, end) = Share.Of(phase.Runs.MicroBatches, assignment.Weights, assignment.Index);
        phase.Runs.Extend(start, end);
    }

    /// <summary>Asks for the next version as soon as there is a replica that nobody reads: long before it is there, so that it comes without delay.</summary>
    private List<Ask> GatherNext()
    {
        int other = 1 - _gathering;
        if (_stopped || !_complete || _replicas[other].Readers > 0 || _tracker.Version >= _job.Plan.TotalSteps)
            return [];
        (_gathering, _complete) = (other, false);
        return _tracker.Begin(_tracker.Version + 1);
    }

    private void Send(List<Ask> asks)
    {
        foreach (var ask in asks)
            _job.Transport.Send(_job.Targets[ask.Shard], new WeightsRequest(ask.Version, _job.Target), TensorLease.Empty);
    }
}
