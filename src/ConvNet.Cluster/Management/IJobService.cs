namespace ConvNet.Cluster.Management;

/// <summary>What can be asked of a running cluster: the face of the job manager that HTTP and tests see.</summary>
/// <remarks>Expected failures are <see cref="JobServiceException"/>s, whose message can be shown as it is.</remarks>
public interface IJobService
{
    /// <summary>Queues a job. It is kept before this returns.</summary>
    /// <exception cref="JobServiceException">The data set is not there, or the model does not fit it.</exception>
    Task<JobRecord> SubmitAsync(JobSubmission submission, CancellationToken stop);

    /// <summary>All jobs, newest first.</summary>
    Task<IReadOnlyList<JobRecord>> ListAsync(CancellationToken stop);

    /// <summary>One job.</summary>
    /// <exception cref="JobServiceException">There is no such job.</exception>
    Task<JobRecord> FindAsync(string id, CancellationToken stop);

    /// <summary>Cancels a job that is queued or running; a running one keeps a checkpoint of the steps it took.</summary>
    /// <exception cref="JobServiceException">There is no such job, or it has ended.</exception>
    Task<JobRecord> CancelAsync(string id, CancellationToken stop);

    /// <summary>Queues a failed or cancelled job again, to go on at its newest checkpoint.</summary>
    /// <exception cref="JobServiceException">There is no such job, or it is neither failed nor cancelled.</exception>
    Task<JobRecord> ResumeAsync(string id, CancellationToken stop);

    /// <summary>The log of a job from a line on: what is kept, then, while the job has not ended and if it is wanted, what happens.</summary>
    /// <param name="id">The job.</param>
    /// <param name="after">Lines with a higher sequence number are given.</param>
    /// <param name="follow">Whether to go on, with live <c>progress</c> lines too, until the job has ended; otherwise only what is kept.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="JobServiceException">There is no such job.</exception>
    IAsyncEnumerable<JobLogEntry> LogAsync(string id, long after, bool follow, CancellationToken stop);

    /// <summary>All nodes of the cluster.</summary>
    Task<IReadOnlyList<NodeRecord>> NodesAsync(CancellationToken stop);

    /// <summary>The folder with the model of a job that is done, on this machine.</summary>
    /// <exception cref="JobServiceException">There is no such job, or it has no model yet.</exception>
    Task<string> ModelFolderAsync(string id, CancellationToken stop);
}

/// <summary>Why the job service did not do what was asked.</summary>
public enum JobServiceProblem
{
    /// <summary>There is no such job.</summary>
    NotFound,

    /// <summary>The request itself is wrong.</summary>
    Invalid,

    /// <summary>Not in the state that the job is in.</summary>
    Conflict,

    /// <summary>The job manager cannot be reached now.</summary>
    Unavailable,
}

/// <summary>A request that was not carried out. The message says why and what to do, and can be shown as it is.</summary>
public sealed class JobServiceException(JobServiceProblem problem, string message) : Exception(message)
{
    /// <summary>What kind of failure it is.</summary>
    public JobServiceProblem Problem => problem;
}
