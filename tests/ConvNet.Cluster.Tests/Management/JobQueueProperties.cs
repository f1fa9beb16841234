using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using CsCheck;

namespace ConvNet.Cluster.Tests.Management;

/// <summary>What holds after any history of commands and news, sensible or not.</summary>
public sealed class JobQueueProperties
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 14, 2, 0, TimeSpan.Zero);

    /// <summary>A command: what, to which job, with which number (an attempt, a step, a priority).</summary>
    private static readonly Gen<(int What, int Job, int Number)> Command = Gen.Select(Gen.Int[0, 13], Gen.Int[1, 6], Gen.Int[0, 4]);

    [Fact]
    public void Any_history_keeps_the_rules()
    {
        Command.Array[0, 80].Sample(commands =>
        {
            var queue = new JobQueue();
            var lines = new Dictionary<string, List<JobLogEntry>>();
            int submitted = 0;
            for (int i = 0; i < commands.Length; i++)
            {
                DateTimeOffset now = Start.AddSeconds(i);
                Dictionary<string, JobRecord> before = queue.All.ToDictionary(job => job.Id);
                string? next = queue.Next?.Id;

                IReadOnlyList<JobChange> changes = Do(ref queue, commands[i], now);

                foreach (JobChange change in changes)
                {
                    JobRecord? old = before.GetValueOrDefault(change.Job.Id);
                    Assert.Equal(change.Job, queue.Find(change.Job.Id));
                    Assert.Equal(change.Job, change.Entry.Record);
                    Assert.Equal(now, change.Entry.Time);
                    Legal(old, change.Job);
                    if (old is { State: JobState.Queued } && change.Job.IsActive)
                        Assert.Equal(next, change.Job.Id);
                    submitted += old == null ? 1 : 0;
                    if (change.Entry.Sequence > 0)
                        (lines.TryGetValue(change.Job.Id, out List<JobLogEntry>? log) ? log : lines[change.Job.Id] = []).Add(change.Entry);
                }

                foreach (JobRecord job in queue.All.Where(job => !changes.Any(change => change.Job.Id == job.Id)))
                    Assert.Equal(before[job.Id], job);
                Assert.InRange(queue.All.Count(job => job.IsActive), 0, 1);
                Assert.Equal(Enumerable.Range(1, submitted).Reverse().Select(JobId.Of), queue.All.Select(job => job.Id));
                Assert.Equal(queue.All.Where(j => j.State == JobState.Queued).OrderBy(j => (-j.Priority, j.Number)), queue.Queued);
                foreach (JobRecord job in queue.All)
                {
                    Assert.Equal(Enumerable.Range(1, (int)job.LogLines).Select(n => (long)n), lines[job.Id].Select(line => line.Sequence));
                    Assert.Equal(job.HasEnded, job.Ended != null);
                    Assert.Equal(job.State == JobState.Failed, job.Failure != null);
                    Assert.Equal(job.State == JobState.Done, job.WeightsSha256 != null);
                    Assert.Equal(job.Attempt > 0, job.Started != null);
                }
            }
        }, iter: 2000);
    }

    private static void Legal(JobRecord? old, JobRecord job)
    {
        (JobState From, JobState To)[] legal =
        [
            (JobState.Queued, JobState.Running), (JobState.Queued, JobState.WaitingForWorkers), (JobState.Queued, JobState.Cancelled),
            (JobState.Running, JobState.WaitingForWorkers), (JobState.WaitingForWorkers, JobState.Running),
            (JobState.Running, JobState.Queued), (JobState.WaitingForWorkers, JobState.Queued),
            (JobState.Running, JobState.Done), (JobState.WaitingForWorkers, JobState.Done),
            (JobState.Running, JobState.Failed), (JobState.WaitingForWorkers, JobState.Failed),
            (JobState.Running, JobState.Cancelled), (JobState.WaitingForWorkers, JobState.Cancelled),
            (JobState.Failed, JobState.Queued), (JobState.Cancelled, JobState.Queued),
        ];
        if (old == null)
            Assert.Equal(JobState.Queued, job.State);
        else if (old.State != job.State)
            Assert.Contains((old.State, job.State), legal);
        Assert.InRange(job.Attempt - (old?.Attempt ?? 0), 0, 1);
    }

    private static IReadOnlyList<JobChange> Do(ref JobQueue queue, (int What, int Job, int Number) command, DateTimeOffset now)
    {
        (int what, int number, int n) = command;
        string id = JobId.Of(number);
        // Most news is of the attempt that runs; some is late.
        int attempt = queue.All.FirstOrDefault(job => job.Id == id) is { } record ? Math.Max(0, record.Attempt - (n == 4 ? 1 : 0)) : 1;
        try
        {
            JobChange? change = null;
            switch (what)
            {
                case 0 or 1: return [queue.Submit(new JobSubmission(new JobSpec(), n % 3), now)];
                case 2: return [queue.Cancel(id, now)];
                case 3: return [queue.Resume(id, now)];
                case 4:
                    queue = new JobQueue(queue.All, 0);
                    return queue.CoordinatorRestarted(now);
                case 5: change = queue.Next is { } next ? queue.Start(next.Id, null, now) : null; break;
                case 6: change = queue.Start(id, n, now); break;
                case 7: change = queue.Wait(id, attempt, "no worker", now); break;
                case 8: change = queue.GoOn(id, attempt, now); break;
                case 9: change = queue.FallBack(id, attempt, "a server is lost", now); break;
                case 10: change = queue.Progress(id, attempt, n, 10, 0.5, 100, now); break;
                case 11: change = queue.Checkpointed(id, attempt, n, now); break;
                case 12: change = queue.Done(id, attempt, 10, "ab", now); break;
                case 13: change = n % 2 == 0 ? queue.Fail(id, attempt, "why", now) : queue.Note(id, attempt, "warning", "note", now); break;
                default: throw new InvalidOperationException($"There is no command {what}.");
            }

            return change == null ? [] : [change];
        }
        catch (JobServiceException refused)
        {
            Assert.NotEmpty(refused.Message);
            return [];
        }
    }
}
