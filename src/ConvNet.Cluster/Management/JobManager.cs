using System.Globalization;
using Akka.Actor;
using Akka.Event;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Nodes;
using static ConvNet.Cluster.Management.JobManagerProtocol;

namespace ConvNet.Cluster.Management;

/// <summary>What a job manager works with.</summary>
internal sealed record ManagerParts(IJobStore Store, IJobPreparation Preparation, JobManagerDoor Door, TimeProvider Clock);

/// <summary>The one in the cluster that has the jobs: queues them, runs one after the other in attempts, and tells how they go.</summary>
/// <remarks>
/// <code>
/// Loading ──jobs read──▶ Managing ──PrepareToStop──▶ Stopping: the attempt ends with a checkpoint, no other begins
/// </code>
/// <see cref="JobQueue"/> decides what may happen to a job, <see cref="JobAttempt"/> runs it on the nodes, <see cref="Membership"/> knows the nodes; here they are joined.
/// A change is on disk before whoever asked for it hears of it.
/// </remarks>
internal sealed class JobManager : ReceiveActor
{
    private sealed record Loaded(IReadOnlyList<JobRecord> Jobs, int LastNumber) : INoSerializationVerificationNeeded;

    private sealed record Checked(JobSubmission Submission, IActorRef Asker, Exception? Problem) : INoSerializationVerificationNeeded;

    private sealed record Prepared(string Id, IPreparedAttempt? Attempt, Exception? Problem) : INoSerializationVerificationNeeded;

    private sealed record ModelKept(string Target, JobResult Result, Exception? Problem) : INoSerializationVerificationNeeded;

    private sealed record NotKept(string Id, Exception Problem) : INoSerializationVerificationNeeded;

    /// <summary>The attempt that is under way.</summary>
    private sealed record Running(string Id, int Number, IPreparedAttempt Prepared, IActorRef Actor)
    {
        public string Target => TargetOf(Id, Number);
    }

    /// <summary>A server that takes its node down each time would do so for ever.</summary>
    private const int MostInVain = 5;

    private readonly ManagerParts _parts;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<IActorRef, ClusterNode> _nodes = [];   // those that take part and do not leave
    private readonly JobFollowers _followers = new();
    private JobQueue _queue = new();
    private IActorRef _membership = ActorRefs.Nobody;
    private IActorRef _stopper = ActorRefs.Nobody;
    private Running? _running;
    private string? _preparing;
    private bool _stopping;
    private int _inVain;   // attempts in a row that came to no new checkpoint

    public JobManager(ManagerParts parts)
    {
        _parts = parts;
        Become(Loading);
    }

    public static Props PropsFor(ManagerParts parts) => Props.Create(() => new JobManager(parts));

    private DateTimeOffset Now => _parts.Clock.GetUtcNow();

    private static string TargetOf(string id, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{id}.{attempt}");

    protected override void PreStart()
    {
        _membership = Context.ActorOf(Props.Create(() => new Membership()), "membership");
        _parts.Store.LoadAsync().PipeTo(Self, success: loaded => new Loaded(loaded.Jobs, loaded.LastNumber));
    }

    protected override void PostStop()
    {
        _parts.Door.Manager = null;
        _running?.Prepared.Dispose();
        _followers.EndAll();
    }

    private void Loading()
    {
        ReceiveMembership();
        Receive<Loaded>(m =>
        {
            _queue = new JobQueue(m.Jobs, m.LastNumber);
            Become(Managing);
            _parts.Door.Manager = Self;
            foreach (var change in _queue.CoordinatorRestarted(Now))
                Keep(change);
            StartNext();
        });
        Receive<Status.Failure>(m => throw new InvalidOperationException($"the jobs cannot be read: {m.Cause.Message}", m.Cause));
        Receive<PrepareToStop>(_ => Sender.Tell(new Reply(null, null)));
    }

    private void Managing()
    {
        ReceiveMembership();
        ReceiveQuestions();
        Receive<Checked>(OnChecked);
        Receive<Prepared>(OnPrepared);
        Receive<JobAttempt.Waiting>(m => OfRunning(m.Target, r => Wait(r, $"for a node with the role {m.Role}")));
        Receive<JobAttempt.Began>(m => OfRunning(m.Target, r => _queue.GoOn(r.Id, r.Number, Now)));
        Receive<AttemptObserver.Progressed>(m => OfRunning(m.Target, r => _queue.Progress(r.Id, r.Number, m.Steps, r.Prepared.Definition.Plan.TotalSteps, m.Loss, m.SamplesPerSecond, Now)));
        Receive<AttemptObserver.Happened>(m => OfRunning(m.Target, r => Describe(r, m.Event)));
        Receive<JobAttempt.Ended>(OnEnded);
        Receive<ModelKept>(OnModelKept);
        Receive<NotKept>(m => _log.Error(m.Problem, "What happened to job {0} could not be kept: {1}", m.Id, m.Problem.Message));
        Receive<PrepareToStop>(_ => PrepareStop());
    }

    private void ReceiveMembership()
    {
        Receive<Membership.NodeCame>(m =>
        {
            _nodes[m.Node.Agent] = m.Node;
            _running?.Actor.Tell(m);
        });
        Receive<Membership.NodeLeaves>(m =>
        {
            _nodes.Remove(m.Node.Agent);
            _running?.Actor.Tell(m);
        });
        Receive<Membership.NodeGone>(m =>
        {
            _nodes.Remove(m.Node.Agent);
            _running?.Actor.Tell(m);
        });
    }

    private void ReceiveQuestions()
    {
        Receive<Submit>(m =>
        {
            var asker = Sender;
            Task.Run(() => _parts.Preparation.CheckAsync(m.Submission.Spec)).PipeTo(
                Self, success: spec => new Checked(m.Submission with { Spec = spec }, asker, null), failure: e => new Checked(m.Submission, asker, e));
        });
        Receive<ListJobs>(_ => Sender.Tell(new Reply(_queue.All, null)));
        Receive<Find>(m => Answer(() => _queue.Find(m.Id)));
        Receive<Cancel>(m => Change(() => _queue.Cancel(m.Id, Now), () =>
        {
            if (_running?.Id == m.Id)
                _running.Actor.Tell(new JobCoordinator.StopJob());
        }));
        Receive<Resume>(m => Change(() => _queue.Resume(m.Id, Now), StartNext));
        Receive<ListNodes>(_ => _membership.Ask<Membership.Nodes>(Membership.ListNodes.Instance)
            .PipeTo(Sender, Self, success: nodes => new Reply((IReadOnlyList<NodeRecord>)nodes.All, null)));
        Receive<ModelFolder>(m => Answer(() => _queue.Find(m.Id) is { State: JobState.Done } job
            ? _parts.Preparation.ModelFolder(job.Id)
            : throw new JobServiceException(JobServiceProblem.Conflict, $"{m.Id} has no model yet: it is not done. 'convnet status {m.Id}' tells how far it is.")));
        Receive<Follow>(m => Answer(() =>
        {
            var job = _queue.Find(m.Id);
            _followers.Add(job, m.Lines);
            return job;
        }));
    }

    private void OnChecked(Checked m)
    {
        if (m.Problem is not null)
        {
            m.Asker.Tell(new Reply(null, ProblemOf(m.Problem)));
            return;
        }

        try
        {
            Keep(_queue.Submit(m.Submission, Now), m.Asker);
            StartNext();
        }
        catch (JobServiceException e)
        {
            m.Asker.Tell(new Reply(null, e));
        }
    }

    /// <summary>The next job's turn, if nothing runs.</summary>
    private void StartNext()
    {
        if (_running is null && _preparing is null && !_stopping && _queue.Next is { } job)
            Prepare(job);
    }

    private void Prepare(JobRecord job)
    {
        if (job.State == JobState.Queued)
            _inVain = 0;
        _preparing = job.Id;
        Task.Run(() => _parts.Preparation.PrepareAsync(job)).PipeTo(
            Self, success: attempt => new Prepared(job.Id, attempt, null), failure: e => new Prepared(job.Id, null, e));
    }

    private void OnPrepared(Prepared m)
    {
        _preparing = null;
        var job = _queue.Find(m.Id);

        // It may have been cancelled meanwhile. A job that falls back is running already, in the attempt that now begins.
        var started = job.IsActive ? job : _stopping || job.State != JobState.Queued ? null : Keep(_queue.Start(m.Id, m.Attempt?.Step, Now))?.Job;
        if (started is null || _stopping)
        {
            m.Attempt?.Dispose();
            StartNext();
            return;
        }

        if (m.Attempt is not { } prepared)
        {
            Keep(_queue.Fail(m.Id, started.Attempt, ProblemOf(m.Problem!).Message, Now));
            StartNext();
            return;
        }

        foreach (string warning in prepared.Warnings)
            Keep(_queue.CheckpointLost(m.Id, started.Attempt, prepared.Step > 0 ? prepared.Step : null, warning, Now));
        foreach (string line in prepared.Beginning)
            Keep(_queue.Note(m.Id, started.Attempt, "begins", line, Now));
        string target = TargetOf(m.Id, started.Attempt);
        var observer = new AttemptObserver(target, Self, _parts.Clock);
        var attempt = new AttemptJob(target, prepared.Place, servers => prepared.Coordinate(target, servers, observer));
        _running = new(m.Id, started.Attempt, prepared, Context.ActorOf(JobAttempt.PropsFor(attempt, [.. _nodes.Values]), $"attempt-{target}"));
    }

    private void OnEnded(JobAttempt.Ended m)
    {
        if (_running is not { } running || running.Target != m.Target)
            return;
        Context.Stop(running.Actor);
        var (result, failure) = (m.Outcome.Result, m.Outcome.Failure);
        if (result is { Stopped: false })
        {
            Task.Run(() => running.Prepared.SaveModelAsync(result)).PipeTo(
                Self, success: () => new ModelKept(m.Target, result, null), failure: e => new ModelKept(m.Target, result, e));
            return;
        }

        result?.Dispose();
        End(running);
        if (_stopping)
        {
            _stopper.Tell(new Reply(null, null));
            return;
        }

        var job = _queue.Find(running.Id);
        if (job.IsActive)   // it was not cancelled
            FallBackOrFail(running, job, m);
        StartNext();
    }

    private void FallBackOrFail(Running running, JobRecord job, JobAttempt.Ended ended)
    {
        string why = ended.Outcome.Failure ?? ended.Moved ?? "it was stopped";
        _inVain = job.CheckpointStep > running.Prepared.Step || ended.Moved is not null ? 0 : _inVain + 1;
        if (ended.Moved is null && !ended.Outcome.ServerLost)
            Keep(_queue.Fail(running.Id, running.Number, why, Now));
        else if (_inVain >= MostInVain)
            Keep(_queue.Fail(running.Id, running.Number, $"{MostInVain} attempts in a row lost a server before the next checkpoint. The last: {why} When the servers are well, 'convnet resume {running.Id}' goes on.", Now));
        else if (Keep(_queue.FallBack(running.Id, running.Number, why.TrimEnd('.'), Now)) is { } next)
            Prepare(next.Job);
    }

    private void OnModelKept(ModelKept m)
    {
        if (_running is not { } running || running.Target != m.Target)
            return;
        Keep(m.Problem is null
            ? _queue.Done(running.Id, running.Number, m.Result.Version, m.Result.WeightsSha256, Now, m.Result.BestEpoch is null ? null : m.Result.Kept)
            : _queue.Fail(running.Id, running.Number, $"the model could not be kept: {m.Problem.Message}", Now));
        m.Result.Dispose();
        End(running);
        if (_stopping)
            _stopper.Tell(new Reply(null, null));
        StartNext();
    }

    private void End(Running running)
    {
        running.Prepared.Dispose();
        _running = null;
    }

    private void PrepareStop()
    {
        _stopping = true;
        _stopper = Sender;
        if (_running is null)
            _stopper.Tell(new Reply(null, null));
        else
            _running.Actor.Tell(new JobCoordinator.StopJob());
    }

    private JobChange? Describe(Running running, JobEvent happened) => happened switch
    {
        JobEvent.Evaluated e => _queue.EpochEnded(running.Id, running.Number, e.Epoch, e.TrainLoss, e.Loss, e.Accuracy, Now, e.Top5),
        JobEvent.EndsEarly e => _queue.Note(running.Id, running.Number, "early-stop", e.Text, Now),
        JobEvent.WaitingForWorkers => Wait(running, "for a node with the role worker"),
        JobEvent.WorkerFellBehind e => _queue.Note(running.Id, running.Number, "worker-behind", $"worker {e.Worker} is far behind after step {e.Version}; the others take over its share", Now),
        JobEvent.WorkerCaughtUp e => _queue.Note(running.Id, running.Number, "worker-caught-up", $"worker {e.Worker} has caught up and has its share again", Now),
        JobEvent.WorkerJoined e => OnJoined(running, e),
        JobEvent.CheckpointWritten e => _queue.Checkpointed(running.Id, running.Number, e.Step, Now),
        JobEvent.CheckpointFailed e => _queue.Note(running.Id, running.Number, "warning", $"the checkpoint of step {e.Step} could not be written, and training goes on: {e.Reason}", Now),
        JobEvent.WorkerLost { Workers: 0 } e => _queue.Note(running.Id, running.Number, "worker-lost", $"worker {e.Worker} is lost ({e.Reason}); none is left", Now),
        JobEvent.WorkerLost e => _queue.Note(running.Id, running.Number, "worker-lost", $"worker {e.Worker} is lost ({e.Reason}); {e.Workers} left take over its share", Now),
        _ => null,
    };

    private JobChange? OnJoined(Running running, JobEvent.WorkerJoined e)
    {
        Keep(_queue.GoOn(running.Id, running.Number, Now));
        return _queue.Note(running.Id, running.Number, "worker-joined", $"worker {e.Worker} takes part; {e.Workers} in all", Now);
    }

    private JobChange? Wait(Running running, string what) =>
        _queue.Wait(running.Id, running.Number, what, Now) ?? _queue.Note(running.Id, running.Number, "waiting", $"waiting {what}", Now);

    private void OfRunning(string target, Func<Running, JobChange?> change)
    {
        if (_running is { } running && running.Target == target)
            Keep(change(running));
    }

    /// <summary>Shows a change to those that follow, and keeps it if it is to be kept. Whoever asked for it hears of it when it is kept.</summary>
    private JobChange? Keep(JobChange? change, IActorRef? asker = null)
    {
        if (change is null)
            return null;
        _followers.Show(change);
        if (change.Entry.Sequence == 0)
            return change;
        _log.Info("{0}: {1}", change.Job.Id, change.Entry.Text);
        var self = Self;
        _parts.Store.SaveAsync(change.Job, change.Entry).ContinueWith(
            saved =>
            {
                if (saved.Exception?.GetBaseException() is { } problem)
                    self.Tell(new NotKept(change.Job.Id, problem));
                asker?.Tell(saved.IsCompletedSuccessfully
                    ? new Reply(change.Job, null)
                    : new Reply(null, new JobServiceException(JobServiceProblem.Unavailable, $"it could not be kept: {saved.Exception?.GetBaseException().Message}")));
            },
            TaskScheduler.Default);
        return change;
    }

    private void Answer(Func<object> answer)
    {
        try
        {
            Sender.Tell(new Reply(answer(), null));
        }
        catch (JobServiceException e)
        {
            Sender.Tell(new Reply(null, e));
        }
    }

    private void Change(Func<JobChange> change, Action then)
    {
        try
        {
            Keep(change(), Sender);
            then();
        }
        catch (JobServiceException e)
        {
            Sender.Tell(new Reply(null, e));
        }
    }

    private JobServiceException ProblemOf(Exception e)
    {
        if (e is JobServiceException known)
            return known;
        _log.Error(e, "A job could not be made ready: {0}", e.Message);
        return new JobServiceException(JobServiceProblem.Invalid, e.Message);
    }
}
