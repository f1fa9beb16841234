using System.Threading.Channels;
using Akka.Actor;

namespace ConvNet.Cluster.Management;

/// <summary>What is asked of the job manager by the service and the node of its own process. Nothing of this leaves the process.</summary>
internal static class JobManagerProtocol
{
    /// <summary>Answer to all of the questions below.</summary>
    public sealed record Reply(object? Value, JobServiceException? Problem) : INoSerializationVerificationNeeded;

    /// <summary>Check a job and queue it. Value: the <see cref="JobRecord"/>.</summary>
    public sealed record Submit(JobSubmission Submission) : INoSerializationVerificationNeeded;

    /// <summary>All jobs, newest first.</summary>
    public sealed record ListJobs : INoSerializationVerificationNeeded;

    /// <summary>One job.</summary>
    public sealed record Find(string Id) : INoSerializationVerificationNeeded;

    /// <summary>Cancel a job.</summary>
    public sealed record Cancel(string Id) : INoSerializationVerificationNeeded;

    /// <summary>Queue a failed or cancelled job again.</summary>
    public sealed record Resume(string Id) : INoSerializationVerificationNeeded;

    /// <summary>All nodes.</summary>
    public sealed record ListNodes : INoSerializationVerificationNeeded;

    /// <summary>The folder with the model of a job that is done.</summary>
    public sealed record ModelFolder(string Id) : INoSerializationVerificationNeeded;

    /// <summary>Lines of a job's log go into the channel, until the job has ended or the channel is closed.</summary>
    public sealed record Follow(string Id, ChannelWriter<JobLogEntry> Lines) : INoSerializationVerificationNeeded;

    /// <summary>Node's shutdown → manager: bring what runs to a checkpoint. Answer: a <see cref="Reply"/>.</summary>
    public sealed record PrepareToStop : INoSerializationVerificationNeeded;
}
