using ConvNet.Cluster.Jobs;

namespace ConvNet.Cluster.Management;

/// <summary>A job as it now is, and what is to be told of it.</summary>
/// <param name="Job">The job.</param>
/// <param name="Entry">The line for its log. One with sequence number 0 is only shown live.</param>
public sealed record JobChange(JobRecord Job, JobLogEntry Entry);

/// <summary>All jobs, which is next, and what may happen to each. Pure: no clock, no I/O, no threads; the caller keeps what changed.</summary>
/// <remarks>
/// <code>
/// Queued ──Start──▶ Running ──Done──▶ Done          Running ◀──GoOn── WaitingForWorkers ◀──Wait── Running or Queued
///    ▲                 │ Fail ──▶ Failed ─┐                    FallBack: a new attempt, from the newest checkpoint
///    └────────── Resume (by somebody) ◀──┴─ Cancelled ◀── Cancel ── Queued, Running, WaitingForWorkers
/// </code>
/// What people ask (<see cref="Submit"/>, <see cref="Cancel"/>, <see cref="Resume"/>) is answered with a <see cref="JobServiceException"/> where it cannot be.
/// What happens to a running job carries the number of its attempt, and gives null, changing nothing, where that attempt is over: such news is late, not wrong.
/// A new attempt is numbered where the old one ends (<see cref="Resume"/>, <see cref="FallBack"/>, <see cref="CoordinatorRestarted"/>), so what is late is told by its number alone.
/// </remarks>
public sealed class JobQueue
{
    private const int LongestName = 120;

    private readonly SortedDictionary<int, JobRecord> _jobs = [];
    private int _lastNumber;

    /// <summary>No jobs.</summary>
    public JobQueue()
    {
    }

    /// <summary>The jobs of a store. Call <see cref="CoordinatorRestarted"/> next.</summary>
    /// <param name="jobs">All jobs.</param>
    /// <param name="lastNumber">The last number ever given.</param>
    public JobQueue(IEnumerable<JobRecord> jobs, int lastNumber)
    {
        foreach (JobRecord job in jobs)
        {
            int number = JobId.NumberOf(job.Id) ?? throw new ArgumentException($"'{job.Id}' is no name of a job; they are j1, j2, …", nameof(jobs));
            _jobs.Add(number, job);
            _lastNumber = Math.Max(_lastNumber, number);
        }

        _lastNumber = Math.Max(_lastNumber, lastNumber);
    }

    /// <summary>All jobs, newest first.</summary>
    public IReadOnlyList<JobRecord> All => [.. _jobs.Values.Reverse()];

    /// <summary>The job whose turn it is, running or waiting for workers; null where there is none. There is never more than one.</summary>
    public JobRecord? Active => _jobs.Values.FirstOrDefault(job => job.IsActive);

    /// <summary>The queued job to start now: the highest priority, then the longest in the queue. Null where none is queued or one is active.</summary>
    public JobRecord? Next => Active != null ? null : Queued.FirstOrDefault();

    /// <summary>The queued jobs, in the order in which they will run.</summary>
    public IReadOnlyList<JobRecord> Queued =>
        [.. _jobs.Values.Where(job => job.State == JobState.Queued).OrderByDescending(job => job.Priority).ThenBy(job => job.Number)];

    /// <summary>A job.</summary>
    /// <exception cref="JobServiceException">There is no such job.</exception>
    public JobRecord Find(string id) => TryFind(id) ?? throw new JobServiceException(
        JobServiceProblem.NotFound,
        _jobs.Count == 0
            ? $"there is no job '{id}': none has been submitted yet."
            : $"there is no job '{id}'; the newest is {_jobs.Values.Last().Id}. 'convnet jobs' lists them all.");

    /// <summary>Puts a job at the end of those of its priority.</summary>
    /// <exception cref="JobServiceException">The name is no name.</exception>
    public JobChange Submit(JobSubmission submission, DateTimeOffset now)
    {
        string name = submission.Name?.Trim() is { Length: > 0 } given ? given : $"{submission.Spec.Model} on {submission.Spec.Data}";
        if (name.Length > LongestName || name.Any(char.IsControl))
            throw new JobServiceException(JobServiceProblem.Invalid, $"name: expected at most {LongestName} characters on one line, got {name.Length}.");
        int number = ++_lastNumber;
        var job = new JobRecord(JobId.Of(number), name, submission.Spec, submission.Priority, JobState.Queued, now);
        return Change(job, "submitted", submission.Priority == 0 ? $"submitted: {name}" : $"submitted with priority {submission.Priority}: {name}", now);
    }

    /// <summary>Cancels a job that has not ended.</summary>
    /// <exception cref="JobServiceException">There is no such job, or it has ended.</exception>
    public JobChange Cancel(string id, DateTimeOffset now)
    {
        JobRecord job = Find(id);
        if (job.HasEnded)
            throw new JobServiceException(JobServiceProblem.Conflict, $"{Standing(job, now)}; only jobs that have not ended can be cancelled.");
        return Change(
            job with { State = JobState.Cancelled, Ended = now, SamplesPerSecond = null }, "cancelled",
            job.Step > 0 ? $"cancelled after step {job.Step}; 'convnet resume {id}' goes on with it" : "cancelled", now);
    }

    /// <summary>Queues a failed or cancelled job again, at its old place.</summary>
    /// <exception cref="JobServiceException">There is no such job, or it is neither failed nor cancelled.</exception>
    public JobChange Resume(string id, DateTimeOffset now)
    {
        JobRecord job = Find(id);
        if (job.State is not (JobState.Failed or JobState.Cancelled))
            throw new JobServiceException(JobServiceProblem.Conflict, $"{Standing(job, now)}; only failed and cancelled jobs can be resumed.");
        return Requeue(job, "", now);
    }

    /// <summary>The coordinator has begun anew: the job whose turn it was is queued again at its old place, and goes on from its checkpoint by itself.</summary>
    public IReadOnlyList<JobChange> CoordinatorRestarted(DateTimeOffset now) =>
        [.. _jobs.Values.Where(job => job.IsActive).ToArray().Select(job => Requeue(job, "the coordinator was restarted; ", now))];

    /// <summary>A job's turn has come, and its attempt begins.</summary>
    /// <returns>Null where it is not the one to start: it was cancelled meanwhile, or another is before it.</returns>
    /// <param name="id">The job: <see cref="Next"/>, or one that waited for workers.</param>
    /// <param name="step">The step of the checkpoint that was found on disk; 0 where none is of use; null: what is known here.</param>
    /// <param name="now">The time.</param>
    public JobChange? Start(string id, long? step, DateTimeOffset now)
    {
        if (TryFind(id) is not { } job || (job.State != JobState.WaitingForWorkers && Next?.Id != id))
            return null;
        long from = step ?? job.CheckpointStep ?? 0;
        int attempt = Math.Max(1, job.Attempt);
        return Change(
            job with { State = JobState.Running, Started = job.Started ?? now, Attempt = attempt, Step = from, CheckpointStep = from > 0 ? from : null },
            "started", attempt == 1 ? "started" : $"attempt {attempt} begins at step {from}", now);
    }

    /// <summary>It is a job's turn, or it runs, but nobody is there to compute it.</summary>
    /// <returns>Null where the attempt is over.</returns>
    public JobChange? Wait(string id, int attempt, string reason, DateTimeOffset now)
    {
        JobRecord? job = TryFind(id);
        if (job == null || job.Attempt != attempt || (job.State != JobState.Running && Next?.Id != id))
            return null;
        return Change(job with { State = JobState.WaitingForWorkers, SamplesPerSecond = null }, "waiting", $"waiting: {reason}", now);
    }

    /// <summary>A job that waited goes on in the same attempt.</summary>
    /// <returns>Null where it does not wait, or the attempt is over.</returns>
    public JobChange? GoOn(string id, int attempt, DateTimeOffset now) =>
        Begun(id, attempt) is { State: JobState.WaitingForWorkers } job
            ? Change(job with { State = JobState.Running }, "started", $"goes on after step {job.Step}", now)
            : null;

    /// <summary>What the servers had is lost: the attempt is over, and the next one begins at the newest checkpoint, or at step 0.</summary>
    /// <returns>Null where that attempt was over already.</returns>
    public JobChange? FallBack(string id, int attempt, string reason, DateTimeOffset now)
    {
        if (Begun(id, attempt) is not { } job)
            return null;
        long from = job.CheckpointStep ?? 0;
        string where = job.CheckpointStep == null ? "step 0, as there is no checkpoint" : $"the checkpoint of step {from}";
        return Change(
            job with { State = JobState.Running, Attempt = attempt + 1, Step = from, Loss = null, SamplesPerSecond = null },
            "fallback", $"{reason}; attempt {attempt + 1} begins at {where}", now);
    }

    /// <summary>Steps were taken. Only shown live.</summary>
    /// <returns>Null where the attempt is over.</returns>
    public JobChange? Progress(string id, int attempt, long step, long totalSteps, double loss, double? samplesPerSecond, DateTimeOffset now)
    {
        if (Begun(id, attempt) is not { } job)
            return null;
        job = Keep(job with { Step = step, TotalSteps = totalSteps, Loss = loss, SamplesPerSecond = samplesPerSecond });
        return new(job, new JobLogEntry(0, now, "progress", FormattableString.Invariant($"step {step} of {totalSteps}, loss {loss:F4}{Speed(samplesPerSecond)}"), job));
    }

    /// <summary>The test set has been gone through at the end of an epoch.</summary>
    /// <param name="id">The job.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="epoch">The epoch that is over, from 0.</param>
    /// <param name="trainLoss">Mean loss over the epoch's training samples.</param>
    /// <param name="testLoss">Mean loss.</param>
    /// <param name="testAccuracy">Share of right answers, from 0 to 1.</param>
    /// <param name="now">The time.</param>
    /// <param name="testTop5">Share of samples whose class was among the five most probable; null where that was not counted.</param>
    /// <returns>Null where the attempt is over.</returns>
    public JobChange? EpochEnded(string id, int attempt, int epoch, double trainLoss, double testLoss, double testAccuracy, DateTimeOffset now, double? testTop5 = null)
    {
        if (Begun(id, attempt) is not { } job)
            return null;
        return Change(
            job with { Loss = trainLoss, TestLoss = testLoss, TestAccuracy = testAccuracy, TestTop5 = testTop5 }, "epoch",
            FormattableString.Invariant($"epoch {epoch + 1}/{job.Spec.Epochs}   loss {trainLoss:F4}   test loss {testLoss:F4}   accuracy {100 * testAccuracy:F2} %{(testTop5 is { } top5 ? FormattableString.Invariant($"   top-5 {100 * top5:F2} %") : "")}{Speed(job.SamplesPerSecond, "   ")}"), now);
    }

    /// <summary>A checkpoint is complete on disk. Taken also from a job that has just failed or was cancelled: it can be resumed there.</summary>
    /// <returns>Null where the attempt is over, or there is a newer checkpoint.</returns>
    public JobChange? Checkpointed(string id, int attempt, long step, DateTimeOffset now) =>
        TryFind(id) is { State: not (JobState.Done or JobState.Queued), Attempt: > 0 } job && job.Attempt == attempt && !(job.CheckpointStep >= step)
            ? Change(job with { CheckpointStep = step }, "checkpoint", $"checkpoint of step {step}", now)
            : null;

    /// <summary>The newest checkpoint was found damaged: the attempt begins at the one before it, or at step 0.</summary>
    /// <returns>Null where the attempt is over.</returns>
    public JobChange? CheckpointLost(string id, int attempt, long? before, string reason, DateTimeOffset now) =>
        Current(id, attempt) is { } job
            ? Change(job with { CheckpointStep = before, Step = before ?? 0 }, "warning", $"{reason}; the attempt begins at {(before is { } step ? $"the checkpoint of step {step}" : "step 0")}", now)
            : null;

    /// <summary>Something worth a line in the log that leaves the job as it is, such as <c>worker-joined</c>, <c>worker-lost</c> or <c>warning</c>.</summary>
    /// <returns>Null where the attempt is over.</returns>
    public JobChange? Note(string id, int attempt, string kind, string text, DateTimeOffset now) =>
        Current(id, attempt) is { } job ? Change(job, kind, text, now) : null;

    /// <summary>All steps are taken and the model is kept.</summary>
    /// <returns>Null where the attempt is over.</returns>
    public JobChange? Done(string id, int attempt, long steps, string weightsSha256, DateTimeOffset now, EpochResult? kept = null)
    {
        if (Begun(id, attempt) is not { } job)
            return null;
        if (kept is not null)
            job = job with { TestLoss = kept.TestLoss, TestAccuracy = kept.TestAccuracy, TestTop5 = kept.TestTop5 };
        string accuracy = job.TestAccuracy is { } share ? FormattableString.Invariant($"accuracy {100 * share:F2} %, ") : "";
        return Change(
            job with { State = JobState.Done, Ended = now, Step = steps, TotalSteps = steps, SamplesPerSecond = null, WeightsSha256 = weightsSha256 },
            "done", $"done: {accuracy}{(kept is null ? "" : $"of epoch {kept.Epoch + 1}, ")}weights sha256 {weightsSha256}", now);
    }

    /// <summary>A job cannot be brought to its end.</summary>
    /// <returns>Null where the attempt is over.</returns>
    public JobChange? Fail(string id, int attempt, string reason, DateTimeOffset now) =>
        Current(id, attempt) is { } job
            ? Change(job with { State = JobState.Failed, Ended = now, SamplesPerSecond = null, Failure = reason }, "failed", $"failed: {reason}", now)
            : null;

    private JobRecord? TryFind(string id) => JobId.NumberOf(id) is { } number ? _jobs.GetValueOrDefault(number) : null;

    private JobRecord? Current(string id, int attempt) => TryFind(id) is { IsActive: true } job && job.Attempt == attempt ? job : null;

    private JobRecord? Begun(string id, int attempt) => attempt > 0 ? Current(id, attempt) : null;

    private JobChange Requeue(JobRecord job, string because, DateTimeOffset now)
    {
        long from = job.CheckpointStep ?? 0;
        return Change(
            job with { State = JobState.Queued, Ended = null, Failure = null, Attempt = job.Attempt == 0 ? 0 : job.Attempt + 1, Step = from, Loss = null, SamplesPerSecond = null },
            "resumed", because + (from > 0 ? $"queued again, to go on at the checkpoint of step {from}" : "queued again, to begin at step 0"), now);
    }

    private JobChange Change(JobRecord job, string kind, string text, DateTimeOffset now)
    {
        job = Keep(job with { LogLines = job.LogLines + 1 });
        return new(job, new JobLogEntry(job.LogLines, now, kind, text, job));
    }

    private JobRecord Keep(JobRecord job) => _jobs[job.Number] = job;

    private static string Speed(double? samplesPerSecond, string before = ", ") =>
        samplesPerSecond is { } speed ? FormattableString.Invariant($"{before}{speed:N0} images/s") : "";

    /// <summary>Where a job stands: <c>j3 is done since 14:02 UTC</c>.</summary>
    private static string Standing(JobRecord job, DateTimeOffset now)
    {
        string when = job.Ended is not { } ended ? ""
            : ended.UtcDateTime.Date == now.UtcDateTime.Date ? FormattableString.Invariant($"{ended.UtcDateTime:HH:mm} UTC")
            : FormattableString.Invariant($"{ended.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
        return job.State switch
        {
            JobState.Queued => $"{job.Id} is queued",
            JobState.Running => $"{job.Id} is running",
            JobState.WaitingForWorkers => $"{job.Id} is waiting for workers",
            JobState.Done => $"{job.Id} is done since {when}",
            JobState.Failed => $"{job.Id} failed at {when}",
            _ => $"{job.Id} was cancelled at {when}",
        };
    }
}
