using System.Threading.Channels;

namespace ConvNet.Cluster.Management;

/// <summary>Those who follow the logs of jobs while they run.</summary>
internal sealed class JobFollowers
{
    private readonly Dictionary<string, List<ChannelWriter<JobLogEntry>>> _byJob = [];

    /// <summary>Lines go into the channel until the job has ended, or somebody completes the channel.</summary>
    public void Add(JobRecord job, ChannelWriter<JobLogEntry> lines)
    {
        if (job.HasEnded)
            lines.TryComplete();
        else if (_byJob.TryGetValue(job.Id, out var followers))
            followers.Add(lines);
        else
            _byJob.Add(job.Id, [lines]);
    }

    /// <summary>Shows a change to those who follow the job; its end ends their channels.</summary>
    public void Show(JobChange change)
    {
        if (!_byJob.TryGetValue(change.Job.Id, out var followers))
            return;
        followers.RemoveAll(lines => !lines.TryWrite(change.Entry));
        if (!change.Job.HasEnded)
            return;
        followers.ForEach(lines => lines.TryComplete());
        _byJob.Remove(change.Job.Id);
    }

    /// <summary>Ends all channels.</summary>
    public void EndAll()
    {
        foreach (var lines in _byJob.Values.SelectMany(f => f))
            lines.TryComplete();
        _byJob.Clear();
    }
}
