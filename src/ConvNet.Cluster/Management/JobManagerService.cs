using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Akka.Actor;

namespace ConvNet.Cluster.Management;

/// <summary>Where the job manager is, while it runs in this process.</summary>
/// <remarks>The cluster has one job manager; on the other coordinators this is empty.</remarks>
internal sealed class JobManagerDoor
{
    private volatile IActorRef? _manager;

    /// <summary>The job manager; null while it is elsewhere.</summary>
    public IActorRef? Manager
    {
        get => _manager;
        set => _manager = value;
    }
}

/// <summary>The job service of this process: asks the job manager.</summary>
internal sealed class JobManagerService(JobManagerDoor door, IJobStore store) : IJobService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public Task<JobRecord> SubmitAsync(JobSubmission submission, CancellationToken stop) => AskAsync<JobRecord>(new JobManagerProtocol.Submit(submission), stop);

    /// <inheritdoc/>
    public Task<IReadOnlyList<JobRecord>> ListAsync(CancellationToken stop) => AskAsync<IReadOnlyList<JobRecord>>(new JobManagerProtocol.ListJobs(), stop);

    /// <inheritdoc/>
    public Task<JobRecord> FindAsync(string id, CancellationToken stop) => AskAsync<JobRecord>(new JobManagerProtocol.Find(id), stop);

    /// <inheritdoc/>
    public Task<JobRecord> CancelAsync(string id, CancellationToken stop) => AskAsync<JobRecord>(new JobManagerProtocol.Cancel(id), stop);

    /// <inheritdoc/>
    public Task<JobRecord> ResumeAsync(string id, CancellationToken stop) => AskAsync<JobRecord>(new JobManagerProtocol.Resume(id), stop);

    /// <inheritdoc/>
    public async IAsyncEnumerable<JobLogEntry> LogAsync(string id, long after, bool follow, [EnumeratorCancellation] CancellationToken stop)
    {
        // First subscribe, then read what is kept: nothing can fall between the two, and what comes twice is left out by its number.
        var channel = Channel.CreateUnbounded<JobLogEntry>(new UnboundedChannelOptions { SingleReader = true });
        JobRecord job = follow
            ? await AskAsync<JobRecord>(new JobManagerProtocol.Follow(id, channel.Writer), stop).ConfigureAwait(false)
            : await FindAsync(id, stop).ConfigureAwait(false);
        try
        {
            foreach (JobLogEntry entry in await store.LogAsync(id, after).ConfigureAwait(false))
            {
                after = entry.Sequence;
                yield return entry;
            }

            if (!follow || job.HasEnded)
                yield break;
            await foreach (JobLogEntry entry in channel.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                if (entry.Sequence != 0 && entry.Sequence <= after)
                    continue;
                after = Math.Max(after, entry.Sequence);
                yield return entry;
            }
        }
        finally
        {
            channel.Writer.TryComplete();
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<NodeRecord>> NodesAsync(CancellationToken stop) => AskAsync<IReadOnlyList<NodeRecord>>(new JobManagerProtocol.ListNodes(), stop);

    /// <inheritdoc/>
    public Task<string> ModelFolderAsync(string id, CancellationToken stop) => AskAsync<string>(new JobManagerProtocol.ModelFolder(id), stop);

    private async Task<T> AskAsync<T>(object question, CancellationToken stop)
    {
        IActorRef manager = door.Manager ?? throw new JobServiceException(
            JobServiceProblem.Unavailable, "the job manager does not run on this node now: it is starting, or another coordinator has it. Try again, or ask the first node of --seeds.");
        try
        {
            var reply = await manager.Ask<JobManagerProtocol.Reply>(question, Patience, stop).ConfigureAwait(false);
            return reply.Problem is null ? (T)reply.Value! : throw new JobServiceException(reply.Problem.Problem, reply.Problem.Message);
        }
        catch (AskTimeoutException)
        {
            throw new JobServiceException(JobServiceProblem.Unavailable, $"the job manager did not answer within {Patience.TotalSeconds:0} s. Try again.");
        }
    }
}
