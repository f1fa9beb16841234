using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;

namespace ConvNet.Dashboard.Tests.Support;

/// <summary>A job manager without a cluster: a queue and logs in memory, and what happens is what a test says.</summary>
public sealed class FakeJobs : IJobService
{
    public static readonly DateTimeOffset Two = new(2026, 3, 1, 14, 2, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly JobQueue _queue = new();
    private readonly Dictionary<string, List<JobLogEntry>> _logs = [];
    private readonly List<(string Id, Channel<JobLogEntry> Lines)> _followers = [];
    private readonly List<(string Id, int Count, TaskCompletionSource Seen)> _awaited = [];

    /// <summary>What each call fails with, if with anything.</summary>
    public Exception? Failure { get; set; }

    /// <summary>What calls wait for before they answer.</summary>
    public Task Delay { get; set; } = Task.CompletedTask;

    /// <summary>How many more streams end after their first kept line, as if the node went away.</summary>
    public int Cuts { get; set; }

    public string? ModelFolder { get; set; }

    public JobSubmission? Submitted { get; private set; }

    public List<long> FollowedAfter { get; } = [];

    public IReadOnlyList<NodeRecord> Nodes { get; set; } =
    [
        new("coordinator-1", "akka.tcp://convnet@10.0.0.1:4053", ["coordinator", "server"], "up", 0, "0.1.0"),
        new("worker-1", "akka.tcp://convnet@10.0.0.2:4053", ["worker"], "up", 4, "0.1.0", 12.34),
    ];

    /// <summary>Does something to the queue and tells the followers.</summary>
    public JobRecord Do(Func<JobQueue, JobChange?> what)
    {
        lock (_gate)
        {
            JobChange change = what(_queue) ?? throw new InvalidOperationException("That cannot happen to the job now.");
            if (change.Entry.Sequence > 0)
                (_logs.TryGetValue(change.Job.Id, out List<JobLogEntry>? log) ? log : _logs[change.Job.Id] = []).Add(change.Entry);
            foreach ((_, Channel<JobLogEntry> lines) in _followers.Where(f => f.Id == change.Job.Id))
            {
                lines.Writer.TryWrite(change.Entry);
                if (change.Job.HasEnded)
                    lines.Writer.TryComplete();
            }

            return change.Job;
        }
    }

    /// <summary>Submits a job of defaults and starts it.</summary>
    public JobRecord DoRun()
    {
        JobRecord job = Do(q => q.Submit(new JobSubmission(new JobSpec()), Two));
        return Do(q => q.Start(job.Id, null, Two));
    }

    /// <summary>Waits until a job has been followed a number of times.</summary>
    public Task FollowedAsync(string id, int count = 1)
    {
        lock (_gate)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((id, count, seen));
            Tell();
            return seen.Task.WaitAsync(TimeSpan.FromSeconds(20));
        }
    }

    public Task<JobRecord> SubmitAsync(JobSubmission submission, CancellationToken stop) => AnswerAsync(() =>
    {
        Submitted = submission;
        return Do(q => q.Submit(submission, Two));
    }, stop);

    public Task<IReadOnlyList<JobRecord>> ListAsync(CancellationToken stop) => AnswerAsync(() => _queue.All, stop);

    public Task<JobRecord> FindAsync(string id, CancellationToken stop) => AnswerAsync(() => _queue.Find(id), stop);

    public Task<JobRecord> CancelAsync(string id, CancellationToken stop) => AnswerAsync(() => Do(q => q.Cancel(id, Two)), stop);

    public Task<JobRecord> ResumeAsync(string id, CancellationToken stop) => AnswerAsync(() => Do(q => q.Resume(id, Two)), stop);

    public Task<IReadOnlyList<NodeRecord>> NodesAsync(CancellationToken stop) => AnswerAsync(() => Nodes, stop);

    public Task<string> ModelFolderAsync(string id, CancellationToken stop) => AnswerAsync(
        () => _queue.Find(id).State == JobState.Done && ModelFolder is { } folder ? folder : throw new JobServiceException(JobServiceProblem.Conflict, $"{id} has no model yet: it is not done."), stop);

    public async IAsyncEnumerable<JobLogEntry> LogAsync(string id, long after, bool follow, [EnumeratorCancellation] CancellationToken stop)
    {
        Channel<JobLogEntry> lines = Channel.CreateUnbounded<JobLogEntry>();
        bool cut;
        lock (_gate)
        {
            JobRecord job = _queue.Find(id);
            foreach (JobLogEntry line in _logs[id].Where(line => line.Sequence > after))
                lines.Writer.TryWrite(line);
            if (follow && !job.HasEnded)
                _followers.Add((id, lines));
            else
                lines.Writer.Complete();
            cut = follow && Cuts-- > 0;
            if (follow)
                FollowedAfter.Add(after);
            Tell();
        }

        await foreach (JobLogEntry line in lines.Reader.ReadAllAsync(stop))
        {
            yield return line;
            if (cut && line.Sequence > 0)
                throw new JobServiceException(JobServiceProblem.Unavailable, "this node leaves");
        }
    }

    private void Tell()
    {
        foreach ((string id, int count, TaskCompletionSource seen) in _awaited)
        {
            if (_followers.Count(f => f.Id == id) >= count)
                seen.TrySetResult();
        }
    }

    private async Task<T> AnswerAsync<T>(Func<T> answer, CancellationToken stop)
    {
        await Delay.WaitAsync(stop);
        lock (_gate)
            return Failure == null ? answer() : throw Failure;
    }
}
