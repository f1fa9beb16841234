namespace ConvNet.Cluster.Management;

/// <summary>Keeps jobs and their logs across restarts of the coordinator.</summary>
/// <remarks>Never blocks its caller: each call returns a task that completes when the change is on disk. Calls take effect in their order.</remarks>
public interface IJobStore : IAsyncDisposable
{
    /// <summary>All jobs, in the order of submission, and the number of the last one ever given.</summary>
    Task<(IReadOnlyList<JobRecord> Jobs, int LastNumber)> LoadAsync();

    /// <summary>Keeps a job, new or changed, and with it a line of its log if there is one. Both or neither.</summary>
    Task SaveAsync(JobRecord job, JobLogEntry? entry);

    /// <summary>The kept lines of a job's log with a sequence number above <paramref name="after"/>, in order.</summary>
    Task<IReadOnlyList<JobLogEntry>> LogAsync(string id, long after);
}
