using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;

namespace ConvNet.Cli.Commands;

/// <summary>A job that is watched to its end by the command that queued it. Ctrl-C ends the watching, never the job.</summary>
internal static class FollowedJob
{
    /// <summary>Shows a job until it has ended, then what came of it.</summary>
    /// <returns>How the process ends, see <see cref="ExitCode"/>.</returns>
    public static async Task<int> ShowAsync(string command, JobApiClient client, JobRecord job, bool json, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var progress = new JobProgress(error, job);
        var follower = new JobFollower(client, TimeProvider.System) { ConnectionChanged = reason => progress.Line(Connection(reason)) };
        JobRecord last = job;
        bool interrupted = false;
        try
        {
            last = await progress.ShowAsync(async () =>
            {
                await foreach (JobLogEntry line in follower.FollowAsync(job.Id, job.LogLines, stop))
                {
                    progress.On(line);
                    last = line.Record;
                }

                return last.HasEnded ? last : await client.FindAsync(job.Id, stop);
            });
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            interrupted = true;
            await error.WriteLineAsync($"{job.Id} goes on without this command: 'convnet logs {job.Id} -f' shows it again, 'convnet cancel {job.Id}' ends it.");
        }

        if (json)
            JobJson.Write(output, command, last);
        else if (last.State == JobState.Done)
            JobText.WriteResult(output, last);
        if (last.State == JobState.Failed)
            await error.WriteLineAsync($"error: {last.Id} failed: {last.Failure}");
        else if (last.State == JobState.Cancelled)
            await error.WriteLineAsync($"{last.Id} was cancelled after step {last.Step}; 'convnet resume {last.Id}' goes on with it");
        return interrupted ? ExitCode.Interrupted : last.State == JobState.Done ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>What is said of a connection that is lost (and why), or there again (null).</summary>
    public static string Connection(string? reason) =>
        reason == null ? "the coordinator answers again" : $"{reason.TrimEnd('.')}; trying again, the job does not need us";
}
