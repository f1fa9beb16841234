using Akka.Actor;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;
using static ConvNet.Cluster.Protocol.ShardProtocol;
using static ConvNet.Cluster.Protocol.WorkerProtocol;

namespace ConvNet.Cluster.Coordinator;

/// <summary>What a coordinator is given to begin with.</summary>
internal sealed record CoordinatorJob(
    string Job, JobSpec Spec, IJobDefinition Definition, IActorRef[] Servers, IActorRef[] Workers, ITensorTransport Transport, TimeProvider Clock, IJobObserver? Observer)
{
    /// <summary>Where nodes get the data that the job names; null where they have their runtimes from elsewhere.</summary>
    public DataOrigin? Data { get; init; }

    /// <summary>Whether a job that has no worker left waits for one; otherwise it fails.</summary>
    public bool WaitsForWorkers { get; init; }

    /// <summary>A step that takes longer than this, and than four usual ones, makes the coordinator look for workers that are behind.</summary>
    public TimeSpan StragglerPatience { get; init; } = StragglerWatch.LeastPatience;

    /// <summary>The checkpoint that it goes on from, or the weights that it is given to begin with; null: the beginning, from the seed. Stays the giver's.</summary>
    public StartingPoint? From { get; init; }

    /// <summary>How often checkpoints are written, and by whom; null: none are.</summary>
    public (CheckpointPolicy Policy, WriteCheckpoint Write)? Checkpoints { get; init; }
}

/// <summary>Runs one job: starts its shards and workers, shares the work among those that live, hears of progress, and brings it to an end.</summary>
/// <remarks>
/// <code>
/// Starting ──all shards there──▶ Running ──all shards at the last version──▶ Collecting ──all slices there──▶ Ending ──all parts stopped──▶ done
///    │                             │ stop: Pause, then RunUntil the newest version: still Running                ▲
///    └─────────────────────────────┴──────────── failed ────────────────────────────────────────────────────────┘
/// </code>
/// The step loop does not wait for the coordinator. Its parent gets one <see cref="Finished"/>.
/// </remarks>
internal sealed class JobCoordinator : ReceiveActor, IWithTimers
{
    /// <summary>Coordinator → parent: the job is over, and all its parts have stopped. Never leaves the process.</summary>
    /// <param name="Result">What came of it; null where it failed, or was stopped before it began.</param>
    /// <param name="Failure">Why it failed.</param>
    /// <param name="ServerLost">Whether it failed because a server is gone: another attempt may go better.</param>
    public sealed record Finished(JobResult? Result, string? Failure, bool ServerLost = false) : INoSerializationVerificationNeeded
    {
        /// <summary>It was stopped before there was anything to keep.</summary>
        public static readonly Finished StoppedAtOnce = new(null, null);
    }

    /// <summary>Anyone → coordinator: come to a clean end, keeping the steps taken. Never leaves the process.</summary>
    public sealed record StopJob : INoSerializationVerificationNeeded;

    /// <summary>Node → coordinator: here is one more worker. Never leaves the process.</summary>
    public sealed record AddWorker(IActorRef Worker) : INoSerializationVerificationNeeded;

    /// <summary>Node → coordinator: this part is gone, and death watch will say so later. Never leaves the process.</summary>
    public sealed record PartLost(IActorRef Part, string Reason) : INoSerializationVerificationNeeded;

    /// <summary>Node → coordinator: others take over from this worker, which stops. Never leaves the process.</summary>
    public sealed record ReleaseWorker(IActorRef Worker, string Reason) : INoSerializationVerificationNeeded;

    private sealed record Tick : INoSerializationVerificationNeeded   // to self only
    {
        public static readonly Tick Instance = new();
    }

    private sealed record Impatient : INoSerializationVerificationNeeded   // to self only
    {
        public static readonly Impatient Instance = new();
    }

    private sealed record StopAnyway : INoSerializationVerificationNeeded   // to self only
    {
        public static readonly StopAnyway Instance = new();
    }

    private sealed record Kept(TensorLease State) : INoSerializationVerificationNeeded;   // to self only

    private sealed record Collected(TensorLease State) : INoSerializationVerificationNeeded;   // to self only

    /// <summary>How long parts have to stop at the end of a job. One that is frozen is left to its node, which stops what belongs to nobody.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    /// <summary>How long a stop may take to come to one version and to a checkpoint of it. Where nobody computes it comes to none, and the checkpoint before must do.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    /// <summary>How often workers are looked at. Short beside the least patience with them.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);

    private readonly CoordinatorJob _job;
    private readonly ShardPlan _plan;
    private readonly JobHistory _history;
    private readonly EpochGate? _gate;                     // where the end of each epoch decides something
    private readonly TensorTarget?[] _targets;
    private readonly long[] _reached, _paused;             // the version by shard; -1 before it is known
    private readonly Workforce _workers;
    private readonly List<IActorRef> _waiting;             // workers that have not been told to start yet
    private readonly long _began;
    private long _until;
    private bool _stopRequested, _endsHere;                // ends: by the recipe, at _until
    private LossNotFinite? _notFinite;                     // the first that a worker has told of
    private StateCollector? _collector;
    private RestoreSource? _restore;                       // until all shards have begun
    private Checkpointer? _checkpointer;
    private bool _finalAsked, _finalWritten;               // the checkpoint of a stop
    private HashSet<IActorRef> _stillThere = [];           // while the job ends
    private Finished _outcome = new(null, "the coordinator stopped");

    public JobCoordinator(CoordinatorJob job)
    {
        _job = job;
        _began = job.Clock.GetTimestamp();
        _waiting = [.. job.Workers];
        _plan = new ShardPlan(job.Definition.Layout, job.Servers.Length);
        _history = new JobHistory(job.Definition.Plan, job.From?.Step ?? 0, job.From?.Epochs, EpochResult.TellsTop5(job.Definition.Classes));
        _gate = EpochGate.For(job, _plan, _history);
        _workers = new Workforce(job, Tell);
        _workers.Began += Begin;
        _workers.NobodyLeft += OnNobodyLeft;
        _until = job.Definition.Plan.TotalSteps;
        _targets = new TensorTarget?[job.Servers.Length];
        (_reached, _paused) = (new long[job.Servers.Length], new long[job.Servers.Length]);
        Array.Fill(_reached, -1);
        Array.Fill(_paused, -1);
        Become(Starting);
    }

    public static Props PropsFor(CoordinatorJob job) => Props.Create(() => new JobCoordinator(job));

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private TimeSpan Now => _job.Clock.GetElapsedTime(_began);

    protected override void PreStart()
    {
        if (_job.From is { } from)
            _restore = new RestoreSource(_job.Job, from, _plan, _job.Transport);
        for (int shard = 0; shard < _job.Servers.Length; shard++)
        {
            Context.Watch(_job.Servers[shard]);
            _job.Servers[shard].Tell(new StartShard(_job.Job, _job.Spec, shard, _job.Servers.Length, _job.From?.Step ?? 0, _restore?.Target, _job.Data, _gate?.RestsAt));
        }
    }

    protected override void PostStop()
    {
        _collector?.Dispose();
        _restore?.Dispose();
        _checkpointer?.Dispose();
        _gate?.Dispose();
    }

    private void Starting()
    {
        Receive<ShardStarted>(m =>
        {
            _targets[m.Shard] = m.Target;
            if (!Array.TrueForAll(_targets, t => t is not null))
                return;
            _restore?.Dispose();
            if (_job.Checkpoints is not null)
                _checkpointer = new Checkpointer(_job, _plan, _history, _gate, [.. _targets.Select(t => t!)], Self, Now);
            Become(Running);
            IntroduceShards();
            if (_gate is not null)
                RunUntil(_gate.RestsAt);
            Timers.StartPeriodicTimer("tick", Tick.Instance, TickInterval);
            foreach (var worker in _waiting)
                StartWorker(worker);
            if (_stopRequested)
                Pause();
        });
        Receive<AddWorker>(m => _waiting.Add(m.Worker));
        Receive<ReleaseWorker>(m => Release(m.Worker, m.Reason));
        Receive<StopJob>(_ => _stopRequested = true);
        ReceiveFailures();
    }

    private void Running()
    {
        Receive<WorkerReady>(m => _workers.OnReady(m, Now));
        Receive<WorkerFailed>(_workers.OnFailed);
        Receive<WorkerSpeed>(m => _workers.OnSpeed(m, Now));
        Receive<SoFar>(m => _workers.OnSoFar(m, Now));
        Receive<Tick>(_ => _workers.Tick(_history.EverywhereVersion, Now));
        Receive<AddWorker>(m => StartWorker(m.Worker));
        Receive<ReleaseWorker>(m => Release(m.Worker, m.Reason));
        Receive<StepsCompleted>(m =>
        {
            for (int i = 0; i < m.Metrics.Length; i++)
                Tell(_history.OnStep(m.First + i, m.Metrics[i], Now));
            _workers.OnSteps(m.Metrics.Length, m.First + m.Metrics.Length, Now);
            _checkpointer?.OnSteps(_history.EverywhereVersion, _until, Now);
        });
        Receive<EvaluationCompleted>(m =>
        {
            _workers.OnEvaluated(m.Version, Now);
            Tell(_history.On(m, Now));
            DecideOnEpoch();
            CollectAtEnd();
        });
        Receive<LimitReached>(m =>
        {
            _reached[m.Shard] = m.Version;
            DecideOnEpoch();
            CollectAtEnd();
        });
        Receive<Kept>(m =>
        {
            _gate!.OnKept(m.State);
            if (!_stopRequested)
                GoOnOrEnd();
            CollectAtEnd();
        });
        Receive<StopJob>(_ =>
        {
            if (!_stopRequested)
                Pause();
        });
        Receive<Paused>(OnPaused);
        Receive<SnapshotTaken>(m => _checkpointer?.On(m));
        Receive<SnapshotMissed>(m => _checkpointer?.On(m, _until));
        Receive<Checkpointer.Collected>(m => _checkpointer!.On(m));
        Receive<Checkpointer.Written>(OnWritten);
        Receive<StopAnyway>(_ => End(null, null));
        Receive<LossDiverged>(m => End(null, Divergence.Of(m, _job)));
        Receive<LossNotFinite>(m =>
        {
            _notFinite ??= m;
            EndIfDiverged();
        });
        ReceiveFailures();
    }

    private void Collecting()
    {
        Receive<Collected>(m => End(Result(m.State, _gate?.Wanted is { } epoch && _gate.VersionOf(epoch) == _until ? epoch : null), null));
        Receive<AddWorker>(m => m.Worker.Tell(new StopWorker(_job.Job)));
        Receive<WorkerFailed>(_workers.OnFailed);
        Receive<Checkpointer.Collected>(m => m.Dispose());
        ReceiveNothingMoreOfWork();
        ReceiveFailures();
    }

    private void Ending()
    {
        Receive<Terminated>(m => NoLongerThere(m.ActorRef));
        Receive<PartLost>(m => NoLongerThere(m.Part));
        Receive<Impatient>(_ =>
        {
            _stillThere.Clear();
            StopWhenAlone();
        });
        Receive<AddWorker>(m => m.Worker.Tell(new StopWorker(_job.Job)));
        Receive<Collected>(m => m.State.Dispose());
        Receive<Kept>(m => m.State.Dispose());
        Receive<Checkpointer.Collected>(m => m.Dispose());
        ReceiveAny(_ => { });   // whatever the parts still had to say
    }

    private void ReceiveFailures()
    {
        Receive<ShardFailed>(m => End(null, $"server {m.Shard} failed: {m.Reason}.", serverLost: true));
        Receive<Terminated>(m => OnLost(m.ActorRef, null));
        Receive<PartLost>(m => OnLost(m.Part, m.Reason));
    }

    /// <summary>What workers say after the last step, or time and again, when it does not matter any more.</summary>
    private void ReceiveNothingMoreOfWork()
    {
        Receive<WorkerReady>(_ => { });
        Receive<WorkerSpeed>(_ => { });
        Receive<SoFar>(_ => { });
        Receive<LossNotFinite>(_ => { });
        Receive<Tick>(_ => { });
    }

    /// <summary>Shards that need nothing of one another are not told of one another.</summary>
    private void IntroduceShards()
    {
        if (_job.Servers.Length == 1 || _job.Definition.CreateUpdate().Sums == 0)
            return;
        foreach (var server in _job.Servers)
            server.Tell(new MeetShards(_job.Job, [.. _targets.Select(t => t!)]));
    }

    private void StartWorker(IActorRef worker)
    {
        Context.Watch(worker);
        _workers.Start(worker, [.. _targets.Select(t => t!)], _history.EverywhereVersion);
    }

    private void Begin(int workers)
    {
        _history.Begin(Now);
        Tell(new JobEvent.Began(workers, _job.Definition.Plan.TotalSteps, _job.Definition.Plan.StepsPerEpoch));
    }

    private void OnNobodyLeft()
    {
        if (HasEnded)
            return;
        if (_job.WaitsForWorkers)
        {
            Tell(new JobEvent.WaitingForWorkers(_history.EverywhereVersion));
            EndIfNobodyCanStopIt();
        }
        else
        {
            End(null, $"no worker is left after step {_history.EverywhereVersion} of {_job.Definition.Plan.TotalSteps}. {_workers.LastLoss ?? "None was started."}");
        }
    }

    /// <summary>A job that is to stop while some shards are in the middle of a step, and nobody is there to complete it: what was taken of the step is given up.</summary>
    private void EndIfNobodyCanStopIt()
    {
        if (_stopRequested && !_workers.IsAnyThere && Array.TrueForAll(_paused, v => v >= 0) && _paused.Min() < _until)
            End(null, null);
    }

    /// <summary>A part is gone; it may be said more than once.</summary>
    private void OnLost(IActorRef part, string? why)
    {
        int shard = Array.IndexOf(_job.Servers, part);
        if (shard >= 0)
        {
            End(null, $"server {shard} stopped{(why is null ? "" : ": " + why)}.", without: part, serverLost: true);
            return;
        }

        _waiting.Remove(part);
        _workers.OnLost(part, why, Now);
    }

    /// <summary>First the others have its share, then it stops: what it was at is done by them in the same step.</summary>
    private void Release(IActorRef worker, string reason)
    {
        OnLost(worker, reason);
        worker.Tell(new StopWorker(_job.Job));
    }

    private void OnWritten(Checkpointer.Written written)
    {
        var (happened, final) = _checkpointer!.On(written, Now);
        Tell(happened);
        _finalWritten |= final;
        if (final)
            CollectAtEnd();
    }

    private void Pause()
    {
        _stopRequested = true;
        if (_checkpointer is not null)
            Timers.StartSingleTimer("stop", StopAnyway.Instance, StopPatience);
        foreach (var server in _job.Servers)
            server.Tell(new ShardProtocol.Pause(_job.Job));
    }

    private void OnPaused(Paused paused)
    {
        _paused[paused.Shard] = paused.Version;
        if (_paused.Contains(-1))
            return;

        // Shards differ by one version at most, and workers go on: those behind complete their step and come to the same version.
        _until = _paused.Max();
        Tell(new JobEvent.Stopping(_until));
        RunUntil(_until);
        EndIfNobodyCanStopIt();
    }

    private bool HasEnded =>
        Array.TrueForAll(_reached, v => v == _until) &&
        (_stopRequested || !_job.Definition.Plan.EvaluatesAt(_until) || _history.EvaluatedVersion == _until);

    private void CollectAtEnd()
    {
        if (!HasEnded || _collector is not null || _gate is { IsKeeping: true } || (_gate is not null && !_stopRequested && _gate.DecidedAt != _until))
            return;
        if (_checkpointer is not null && _stopRequested && !_finalWritten)
        {
            if (!_finalAsked)
                _checkpointer.TakeFinal(_until);
            _finalAsked = true;
            return;
        }

        Timers.Cancel("stop");
        if (_gate?.Best is { } best && best.Epoch == _gate.Wanted && _gate.VersionOf(best.Epoch) != _until)
        {
            End(Result(best.State.Share(), best.Epoch), null);
            return;
        }

        Become(Collecting);
        var self = Self;
        _collector = new StateCollector(_job.Job, _plan, [.. _targets.Select(t => t!)], _until, _job.Transport, state => self.Tell(new Collected(state), self));
        _collector.Ask();
    }

    private JobResult Result(TensorLease state, int? bestEpoch) =>
        new(state, _until, _until < _job.Definition.Plan.TotalSteps && !_endsHere, _history.Epochs, _history.Throughput, bestEpoch);

    private void RunUntil(long version)
    {
        foreach (var server in _job.Servers)
            server.Tell(new RunUntil(_job.Job, version));
    }

    /// <summary>Where the end of an epoch decides something, all shards rest there.</summary>
    private void DecideOnEpoch()
    {
        if (_gate is not { IsKeeping: false } gate || _stopRequested || gate.DecidedAt == gate.RestsAt
            || _history.EvaluatedVersion != gate.RestsAt || !Array.TrueForAll(_reached, v => v == gate.RestsAt))
            return;
        var self = Self;
        if (!gate.KeepIfBest([.. _targets.Select(t => t!)], state => self.Tell(new Kept(state), self)))
            GoOnOrEnd();
    }

    private void GoOnOrEnd()
    {
        bool over = _gate!.IsOver;
        _gate.Decide(over);
        if (over)
        {
            (_until, _endsHere) = (_gate.RestsAt, true);
            if (_until < _job.Definition.Plan.TotalSteps)
                Tell(new JobEvent.EndsEarly(_until, _job.Definition.Plan.EpochOf(_until - 1), BestEpoch.Of(_history.Accuracies)!.Value));
            return;
        }

        RunUntil(_gate.RestsAt);
        EndIfDiverged();
    }

    /// <summary>Workers may be a step ahead of where the job comes to its end: what they find there does not matter.</summary>
    private void EndIfDiverged()
    {
        if (_notFinite is { } found && found.Step < Math.Min(_until, _stopRequested ? long.MaxValue : _gate?.RestsAt ?? long.MaxValue))
            End(null, Divergence.Of(found, _job));
    }

    private void End(JobResult? result, string? failure, IActorRef? without = null, bool serverLost = false)
    {
        _outcome = new(result, failure, serverLost);
        Become(Ending);
        Timers.Cancel("tick");
        foreach (var worker in _workers.Actors)
            worker.Tell(new StopWorker(_job.Job));
        foreach (var server in _job.Servers)
        {
            if (!server.Equals(without))
                server.Tell(new StopShard(_job.Job));
        }

        Timers.StartSingleTimer("end", Impatient.Instance, EndPatience);
        _stillThere = [.. _workers.Actors, .. _job.Servers.Where(s => !s.Equals(without))];
        StopWhenAlone();
    }

    private void NoLongerThere(IActorRef part)
    {
        _stillThere.Remove(part);
        StopWhenAlone();
    }

    private void StopWhenAlone()
    {
        if (_stillThere.Count > 0)
            return;
        Context.Parent.Tell(_outcome);
        Context.Stop(Self);
    }

    private void Tell(JobEvent happened) => _job.Observer?.On(happened);
}
