using Akka.Actor;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using ConvNet.Data.Checkpoints;
using static ConvNet.Cluster.Protocol.ShardProtocol;

namespace ConvNet.Cluster.Coordinator;

/// <summary>Writes a checkpoint's values to the disk. Slow; called on a thread that may wait.</summary>
/// <param name="step">Steps taken.</param>
/// <param name="state">Weights and statistics.</param>
/// <param name="optimizer">The optimizer's planes.</param>
/// <param name="planes">How many planes.</param>
/// <param name="epochs">The metrics so far.</param>
/// <param name="best">Weights and statistics of the best epoch so far; empty where none are kept.</param>
/// <returns>Its folder, and its bytes.</returns>
internal delegate (string Folder, long Bytes) WriteCheckpoint(
    long step, ReadOnlySpan<float> state, ReadOnlySpan<float> optimizer, int planes, IReadOnlyList<CheckpointEpoch> epochs, ReadOnlySpan<float> best);

/// <summary>Has checkpoints written while a job runs, one at a time. A part of the coordinator's actor, and used on its thread only.</summary>
/// <remarks>
/// <code>
/// idle ──due──▶ waiting: all shards keep a snapshot of a version a little ahead ──all have──▶ collecting ──▶ writing ──▶ idle
///                  │ one is past it already: drop it, again further ahead
/// </code>
/// Training waits for none of this: a shard copies its optimizer's state, and that is all. A checkpoint that fails is told and forgotten; the next one may go better.
/// </remarks>
internal sealed class Checkpointer : IDisposable
{
    /// <summary>All slices are there → coordinator's actor.</summary>
    public sealed record Collected(long Version, TensorLease State, TensorLease Optimizer) : INoSerializationVerificationNeeded, IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            State.Dispose();
            Optimizer.Dispose();
        }
    }

    /// <summary>It is on the disk, or is not → coordinator's actor.</summary>
    public sealed record Written(long Version, string Folder, long Bytes, Exception? Problem) : INoSerializationVerificationNeeded;

    private const long FirstMargin = 4, MostMargin = 4096;

    private readonly CoordinatorJob _job;
    private readonly CheckpointPolicy _policy;
    private readonly WriteCheckpoint _write;
    private readonly ShardPlan _plan;
    private readonly JobHistory _history;
    private readonly TensorTarget[] _shards;
    private readonly IActorRef _self;
    private readonly int _planes;
    private readonly HashSet<int> _taken = [];
    private SnapshotCollector? _collector;
    private readonly EpochGate? _gate;
    private IReadOnlyList<CheckpointEpoch> _epochs = [];
    private TensorLease? _best;       // of the epochs
    private long _version = -1;       // of the checkpoint under way; -1 while idle
    private long _lastVersion, _margin = FirstMargin;
    private long? _final;             // the version of the last one, once it is known
    private TimeSpan _lastTime;

    public Checkpointer(CoordinatorJob job, ShardPlan plan, JobHistory history, EpochGate? gate, TensorTarget[] shards, IActorRef self, TimeSpan now)
    {
        (_job, _plan, _history, _gate, _shards, _self) = (job, plan, history, gate, shards, self);
        (_policy, _write) = job.Checkpoints!.Value;
        _planes = job.Definition.CreateUpdate().StatePlanes;
        (_lastVersion, _lastTime) = (history.EverywhereVersion, now);
    }

    /// <summary>Steps have been taken: begins a checkpoint if one is due.</summary>
    /// <param name="version">The newest version that is known of.</param>
    /// <param name="until">The job's last version.</param>
    /// <param name="now">The time.</param>
    public void OnSteps(long version, long until, TimeSpan now)
    {
        if (_version < 0 && _final is null && version + _margin < until && _policy.IsDue(version - _lastVersion, now - _lastTime))
            Begin(version + _margin);
    }

    /// <summary>The job stops at a version that all shards are at, and one more is wanted, of it. <see cref="Written"/> of this version is its end.</summary>
    public void TakeFinal(long version)
    {
        _final = version;
        if (_version > version)
            Drop();   // nobody will come to what it waits for
        if (_version < 0)
            Begin(version);
    }

    /// <summary>A shard keeps its snapshot.</summary>
    public void On(SnapshotTaken m)
    {
        if (m.Version != _version)
            return;

        // The metrics shard reports all steps before, and none after: see ShardEngine.TakeSnapshotIfDue.
        if (m.Shard == _plan.MetricsShard)
        {
            _epochs = _history.Save();
            _best?.Dispose();
            _best = _gate?.Best?.State.Share();
        }

        _taken.Add(m.Shard);
        if (_taken.Count < _plan.Shards)
            return;
        var (version, self) = (_version, _self);
        _collector = new(_job.Job, _plan, _planes, _shards, version, _job.Transport, (state, optimizer) => self.Tell(new Collected(version, state, optimizer), self));
        _collector.Ask();
    }

    /// <summary>A shard is past the version.</summary>
    public void On(SnapshotMissed m, long until)
    {
        if (m.Version != _version)
            return;
        Drop();
        _margin = Math.Min(_margin * 2, MostMargin);
        if (_final is { } final)
            Begin(final);
        else if (m.Newest + _margin < until)
            Begin(m.Newest + _margin);
    }

    /// <summary>Everything is here; the disk may take its time.</summary>
    public void On(Collected m)
    {
        var (epochs, planes, write, best) = (_epochs, _planes, _write, _best);
        _best = null;
        Drop();
        _version = m.Version;   // still under way
        Task.Run(() =>
        {
            using (m)
            using (best)
            {
                var (folder, bytes) = write(m.Version, m.State.Span, m.Optimizer.Span, planes, epochs, best is null ? [] : best.Span);
                return new Written(m.Version, folder, bytes, null);
            }
        }).PipeTo(_self, _self, failure: e => new Written(m.Version, "", 0, e));
    }

    /// <summary>It is on the disk, or is not.</summary>
    /// <returns>What is to be told, and whether it was the final one.</returns>
    public (JobEvent Event, bool Final) On(Written m, TimeSpan now)
    {
        _version = -1;
        (_lastVersion, _lastTime) = (m.Version, now);
        bool final = m.Version == _final;
        if (_final is { } last && !final)
            Begin(last);
        return (m.Problem is null ? new JobEvent.CheckpointWritten(m.Version, m.Folder, m.Bytes) : new JobEvent.CheckpointFailed(m.Version, m.Problem.Message), final);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _collector?.Dispose();
        _best?.Dispose();
    }

    private void Begin(long version)
    {
        _version = version;
        _taken.Clear();
        foreach (var server in _job.Servers)
            server.Tell(new TakeSnapshot(_job.Job, version), _self);
    }

    private void Drop()
    {
        foreach (var server in _job.Servers)
            server.Tell(new DropSnapshot(_job.Job, _version), _self);
        _collector?.Dispose();
        _collector = null;
        _version = -1;
    }
}
