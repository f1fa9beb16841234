using System.Collections.Concurrent;
using ConvNet.Cluster.Management;

namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>Keeps jobs for as long as the test lasts.</summary>
public sealed class MemoryJobStore : IJobStore
{
    private readonly ConcurrentDictionary<string, JobRecord> _jobs = new();
    private readonly ConcurrentQueue<(string Id, JobLogEntry Entry)> _log = new();

    public Task<(IReadOnlyList<JobRecord> Jobs, int LastNumber)> LoadAsync() =>
        Task.FromResult(((IReadOnlyList<JobRecord>)[.. _jobs.Values.OrderBy(j => j.Number)], _jobs.Count));

    public Task SaveAsync(JobRecord job, JobLogEntry? entry)
    {
        _jobs[job.Id] = job;
        if (entry is not null)
            _log.Enqueue((job.Id, entry));
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<JobLogEntry>> LogAsync(string id, long after) =>
        Task.FromResult<IReadOnlyList<JobLogEntry>>([.. _log.Where(l => l.Id == id && l.Entry.Sequence > after).Select(l => l.Entry)]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
