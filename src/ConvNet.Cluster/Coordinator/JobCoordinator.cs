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
    string Job, JobSpec Spec, IJobDefinition Runtime, IActorRef[] Servers, IActorRef[] Workers, ITensorTransport Transport, TimeProvider Clock, IJobObserver? Observer,
    DataOrigin? Data = null)
{
    /// <summary>When checkpoints are written, and how; null: never.</summary>
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

    private sealed record Impatient : INoSerializationVerificationNeeded   // to self only
    {
        public static readonly Impatient Instance = new();
    }

    private sealed record Collected(TensorLease State) : INoSerializationVerificationNeeded;   // to self only

    /// <summary>How long parts have to stop at the end of a job. One that is frozen is left to its node, which stops what belongs to nobody.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    private readonly CoordinatorJob _job;
    private readonly ShardPlan _plan;
    private readonly JobHistory _history;
    private readonly TensorTarget?[] _targets;
    private readonly long[] _reached, _paused;             // the version by shard; -1 before it is known
    private readonly Dictionary<int, IActorRef> _workers = [];
    private readonly Dictionary<int, string> _reasons = [];
    private readonly List<IActorRef> _waiting;             // workers that have not been told to start yet
    private readonly long _began;
    private Roster _roster = Roster.Empty;
    private int _nextWorker;
    private long _until;
    private bool _stopRequested;
    private string? _lastLoss;
    private StateCollector? _collector;
    private HashSet<IActorRef> _stillThere = [];           // while the job ends
    private Finished _outcome = new(null, "the coordinator stopped");

    public JobCoordinator(CoordinatorJob job)
    {
        _job = job;
        _began = job.Clock.GetTimestamp();
        _waiting = [.. job.Workers];
        _plan = new ShardPlan(job.Runtime.Layout, job.Servers.Length);
        _history = new JobHistory(job.Runtime.Plan);
        _until = job.Runtime.Plan.TotalSteps;
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
        for (int shard = 0; shard < _job.Servers.Length; shard++)
        {
            Context.Watch(_job.Servers[shard]);
            _job.Servers[shard].Tell(new StartShard(_job.Job, _job.Spec, shard, _job.Servers.Length, Data: _job.Data));
        }
    }

    protected override void PostStop() => _collector?.Dispose();

    private void Starting()
    {
        Receive<ShardStarted>(m =>
        {
            _targets[m.Shard] = m.Target;
            if (!Array.TrueForAll(_targets, t => t is not null))
                return;
            Become(Running);
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
        Receive<WorkerReady>(m =>
        {
            (_roster, var reshare) = _roster.OnReady(m.Worker);
            Tell(new JobEvent.WorkerJoined(m.Worker, _roster.Ready.Count));
            Share(reshare);
        });
        Receive<WorkerFailed>(m => _reasons[m.Worker] = m.Reason);
        Receive<AddWorker>(m => StartWorker(m.Worker));
        Receive<ReleaseWorker>(m => Release(m.Worker, m.Reason));
        Receive<StepsCompleted>(m =>
        {
            for (int i = 0; i < m.Metrics.Length; i++)
                Tell(_history.OnStep(m.First + i, m.Metrics[i], Now));
        });
        Receive<EvaluationCompleted>(m =>
        {
            Tell(_history.On(m, Now));
            CollectAtEnd();
        });
        Receive<LimitReached>(m =>
        {
            _reached[m.Shard] = m.Version;
            CollectAtEnd();
        });
        Receive<StopJob>(_ =>
        {
            if (!_stopRequested)
                Pause();
        });
        Receive<Paused>(OnPaused);
        Receive<LossDiverged>(m => End(null, Diverged(m)));
        ReceiveFailures();
    }

    private void Collecting()
    {
        Receive<Collected>(m => End(new JobResult(m.State, _until, _until < _job.Runtime.Plan.TotalSteps, _history.Epochs, _history.Throughput), null));
        Receive<AddWorker>(m => m.Worker.Tell(new StopWorker(_job.Job)));
        Receive<WorkerFailed>(m => _reasons[m.Worker] = m.Reason);
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
        ReceiveAny(_ => { });   // whatever the parts still had to say
    }

    private void ReceiveFailures()
    {
        Receive<ShardFailed>(m => End(null, $"server {m.Shard} failed: {m.Reason}.", serverLost: true));
        Receive<Terminated>(m => OnLost(m.ActorRef, null));
        Receive<PartLost>(m => OnLost(m.Part, m.Reason));
    }

    private void StartWorker(IActorRef worker)
    {
        int number = _nextWorker++;
        _workers.Add(number, worker);
        _roster = _roster.Start(number);
        Context.Watch(worker);
        worker.Tell(new StartWorker(_job.Job, _job.Spec, number, [.. _targets.Select(t => t!)], _history.EverywhereVersion, _job.Data));
    }

    private void Share(Reshare reshare)
    {
        switch (reshare)
        {
            case Reshare.Share(var number, var workers):
                if (number == 0)
                {
                    _history.Begin(Now);
                    Tell(new JobEvent.Began(workers.Length, _job.Runtime.Plan.TotalSteps, _job.Runtime.Plan.StepsPerEpoch));
                }

                int[] weights = new int[workers.Length];
                Array.Fill(weights, 1);
                for (int place = 0; place < workers.Length; place++)
                    _workers[workers[place]].Tell(new Assign(_job.Job, number, place, weights));
                break;
            case Reshare.NobodyLeft when !HasEnded:
                End(null, $"no worker is left after step {_history.EverywhereVersion} of {_job.Runtime.Plan.TotalSteps}. {_lastLoss ?? "None was started."}");
                break;
        }
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
        if (RemoveWorker(part) is not { } worker)
            return;
        string reason = _reasons.GetValueOrDefault(worker, why ?? $"worker {worker} is gone");
        _lastLoss = $"The last one: {reason}.";
        (_roster, var reshare) = _roster.OnLost(worker);
        Tell(new JobEvent.WorkerLost(worker, reason, _roster.Ready.Count));
        Share(reshare);
    }

    /// <summary>First the others have its share, then it stops: what it was at is done by them in the same step.</summary>
    private void Release(IActorRef worker, string reason)
    {
        OnLost(worker, reason);
        worker.Tell(new StopWorker(_job.Job));
    }

    private int? RemoveWorker(IActorRef actor)
    {
        foreach (var (number, worker) in _workers)
        {
            if (!worker.Equals(actor))
                continue;
            _workers.Remove(number);
            return number;
        }

        return null;
    }

    private void Pause()
    {
        _stopRequested = true;
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
        foreach (var server in _job.Servers)
            server.Tell(new RunUntil(_job.Job, _until));
    }

    private bool HasEnded =>
        Array.TrueForAll(_reached, v => v == _until) &&
        (_stopRequested || !_job.Runtime.Plan.EvaluatesAt(_until) || _history.EvaluatedVersion == _until);

    private void CollectAtEnd()
    {
        if (!HasEnded || _collector is not null)
            return;
        Become(Collecting);
        var self = Self;
        _collector = new StateCollector(_job.Job, _plan, [.. _targets.Select(t => t!)], _until, _job.Transport, state => self.Tell(new Collected(state), self));
        _collector.Ask();
    }

    private string Diverged(LossDiverged m)
    {
        string what = float.IsNaN(m.LossSum) ? "NaN" : "infinite";
        var plan = _job.Runtime.Plan;
        return m.Evaluation
            ? $"the test loss is {what} after step {m.Step} of {plan.TotalSteps}. Lower --lr, it is {_job.Spec.LearningRate}."
            : $"the loss is {what} at step {m.Step + 1} of {plan.TotalSteps} (epoch {plan.EpochOf(m.Step) + 1}). Lower --lr, it is {_job.Spec.LearningRate}.";
    }

    private void End(JobResult? result, string? failure, IActorRef? without = null, bool serverLost = false)
    {
        _outcome = new(result, failure, serverLost);
        Become(Ending);
        foreach (var worker in _workers.Values)
            worker.Tell(new StopWorker(_job.Job));
        foreach (var server in _job.Servers)
        {
            if (!server.Equals(without))
                server.Tell(new StopShard(_job.Job));
        }

        Timers.StartSingleTimer("end", Impatient.Instance, EndPatience);
        _stillThere = [.. _workers.Values, .. _job.Servers.Where(s => !s.Equals(without))];
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
