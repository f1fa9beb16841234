using Akka.Actor;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shares;
using static ConvNet.Cluster.Protocol.WorkerProtocol;

namespace ConvNet.Cluster.Coordinator;

/// <summary>The workers of a job: shares the work among them as they come, go, and turn out to be fast or slow.</summary>
/// <remarks>Part of <see cref="JobCoordinator"/>, on its thread. <see cref="Roster"/> and <see cref="StragglerWatch"/> decide; here their decisions become messages.</remarks>
internal sealed class Workforce(CoordinatorJob job, Action<JobEvent> tell)
{
    /// <summary>How long the first share waits for workers that are not ready yet, while others are.</summary>
    public static readonly TimeSpan BeginPatience = TimeSpan.FromSeconds(2);

    /// <summary>A worker that is too slow to get a share is tried again after this: it may be faster by now.</summary>
    public static readonly TimeSpan SpeedLife = TimeSpan.FromMinutes(1);

    private readonly Dictionary<int, IActorRef> _actors = [];
    private readonly Dictionary<int, string> _reasons = [];
    private readonly Dictionary<int, TimeSpan> _withoutShare = [];
    private readonly StragglerWatch _watch = new(job.Definition.Plan, job.StragglerPatience);
    private Roster _roster = new(job.Definition.Plan.MicroBatchesOf(0));
    private TimeSpan? _firstReady;
    private int _next;

    /// <summary>The actors of all workers that were told to start and are not known to be gone.</summary>
    public IReadOnlyCollection<IActorRef> Actors => _actors.Values;

    /// <summary>Whether there is a worker, or one on its way.</summary>
    public bool IsAnyThere => _actors.Count > 0;

    /// <summary>The first share has been given out.</summary>
    public event Action<int>? Began;

    /// <summary>There is no worker, and none is on its way.</summary>
    public event Action? NobodyLeft;

    /// <summary>Why the last worker that is gone is gone, as a sentence; null while none is.</summary>
    public string? LastLoss { get; private set; }

    /// <summary>Tells a worker to start.</summary>
    /// <param name="worker">Its actor.</param>
    /// <param name="shards">Where the shards are.</param>
    /// <param name="version">A version that all shards have published.</param>
    public void Start(IActorRef worker, TensorTarget[] shards, long version)
    {
        int number = _next++;
        _actors.Add(number, worker);
        _roster = _roster.Start(number);
        worker.Tell(new StartWorker(job.Job, job.Spec, number, shards, version, job.Data));
    }

    /// <summary>A worker holds the weights.</summary>
    public void OnReady(WorkerReady m, TimeSpan now)
    {
        if (!_actors.ContainsKey(m.Worker))
            return;   // it was lost meanwhile
        _firstReady ??= now;
        (_roster, var reshare) = _roster.OnReady(m.Worker);
        tell(new JobEvent.WorkerJoined(m.Worker, _roster.Ready.Count));
        Share(reshare, now);
    }

    /// <summary>A worker is about to stop.</summary>
    public void OnFailed(WorkerFailed m) => _reasons[m.Worker] = m.Reason;

    /// <summary>A worker has told its speed.</summary>
    public void OnSpeed(WorkerSpeed m, TimeSpan now)
    {
        if (m.Lanes < 1 || !double.IsFinite(m.MicroBatchesPerSecond) || m.MicroBatchesPerSecond <= 0)
            return;   // of another version, or torn: nothing depends on it
        (_roster, var reshare) = _roster.OnSpeed(m.Worker, new(m.Lanes, m.MicroBatchesPerSecond));
        Share(reshare, now);
    }

    /// <summary>A worker has told how far it is.</summary>
    public void OnSoFar(SoFar m, TimeSpan now)
    {
        if (!_watch.OnAnswer(now, m.Worker, m.Version, m.Idle))
            return;
        tell(new JobEvent.WorkerCaughtUp(m.Worker));
        (_roster, var reshare) = _roster.OnCaughtUp(m.Worker);
        Share(reshare, now);
    }

    /// <summary>Steps have been applied.</summary>
    public void OnSteps(int steps, long version, TimeSpan now) => _watch.OnSteps(now, steps, version);

    /// <summary>A version has been evaluated.</summary>
    public void OnEvaluated(long version, TimeSpan now) => _watch.OnEvaluated(now, version);

    /// <summary>Time goes by.</summary>
    /// <param name="version">The newest version that is known of.</param>
    /// <param name="now">The time.</param>
    public void Tick(long version, TimeSpan now)
    {
        Reshare reshare;
        if (_roster.Shares == 0)
        {
            if (_firstReady is { } ready && now - ready > BeginPatience)
            {
                (_roster, reshare) = _roster.BeginWithThoseReady();
                Share(reshare, now);
            }

            return;
        }

        var (ask, behind) = _watch.Tick(now, _roster.Ready);
        foreach (int worker in ask)
            _actors[worker].Tell(new HowFar(job.Job));
        foreach (int worker in behind)
            tell(new JobEvent.WorkerFellBehind(worker, version));
        if (behind.Count > 0)
        {
            (_roster, reshare) = _roster.OnBehind(behind);
            Share(reshare, now);
        }

        TrySlowOnesAgain(now);
    }

    /// <summary>A worker is gone; it may be said more than once. Returns whether it was one of these.</summary>
    public bool OnLost(IActorRef actor, string? why, TimeSpan now)
    {
        if (Remove(actor) is not { } worker)
            return false;
        string reason = _reasons.GetValueOrDefault(worker, why ?? $"worker {worker} is gone");
        LastLoss = $"The last one: {reason}.";
        _watch.Forget(worker);
        _withoutShare.Remove(worker);
        (_roster, var reshare) = _roster.OnLost(worker);
        tell(new JobEvent.WorkerLost(worker, reason, _roster.Ready.Count));
        Share(reshare, now);
        return true;
    }

    private int? Remove(IActorRef actor)
    {
        foreach (var (number, worker) in _actors)
        {
            if (!worker.Equals(actor))
                continue;
            _actors.Remove(number);
            return number;
        }

        return null;
    }

    private void Share(Reshare reshare, TimeSpan now)
    {
        switch (reshare)
        {
            case Reshare.Share(var number, var workers, var weights):
                _watch.OnShared(now);
                if (number == 0)
                    Began?.Invoke(workers.Length);
                for (int place = 0; place < workers.Length; place++)
                    _actors[workers[place]].Tell(new Assign(job.Job, number, place, [.. weights]));
                break;
            case Reshare.NobodyLeft:
                NobodyLeft?.Invoke();
                break;
        }
    }

    private void TrySlowOnesAgain(TimeSpan now)
    {
        foreach (int worker in _roster.WithoutShare.ToArray())
        {
            if (_withoutShare.TryAdd(worker, now) || now - _withoutShare[worker] < SpeedLife)
                continue;
            _withoutShare.Remove(worker);
            (_roster, var reshare) = _roster.ForgetSpeed(worker);
            Share(reshare, now);
        }
    }
}
