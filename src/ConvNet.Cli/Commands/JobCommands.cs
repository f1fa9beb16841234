using System.CommandLine;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;

namespace ConvNet.Cli.Commands;

/// <summary>What is asked of one job: <c>status</c>, <c>logs</c>, <c>cancel</c>, <c>resume</c>.</summary>
internal static class JobCommands
{
    public static Command Status(TextWriter output) => Create("status", "Show one job", (parsed, coordinator, id) => async stop =>
    {
        using JobApiClient client = coordinator.Client(parsed);
        JobRecord job = await client.FindAsync(id, stop);
        if (parsed.GetValue(coordinator.Json))
            JobJson.Write(output, "status", job);
        else
            JobText.WriteStatus(output, job);
        return ExitCode.Done;
    });

    public static Command Cancel(TextWriter output) => Create("cancel", "Cancel a job; what it has learned is kept as a checkpoint", (parsed, coordinator, id) => async stop =>
    {
        using JobApiClient client = coordinator.Client(parsed);
        JobRecord job = await client.CancelAsync(id, stop);
        if (parsed.GetValue(coordinator.Json))
            JobJson.Write(output, "cancel", job);
        else
            await output.WriteLineAsync($"{job.Id} is cancelled{(job.Step > 0 ? $" after step {job.Step}; 'convnet resume {job.Id}' goes on with it" : "")}");
        return ExitCode.Done;
    });

    public static Command Resume(TextWriter output, TextWriter error)
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Show how it goes until it has ended" };
        return Create(
            "resume", "Queue a failed or cancelled job again; it goes on at its newest checkpoint",
            (parsed, coordinator, id) => async stop =>
            {
                bool json = parsed.GetValue(coordinator.Json);
                using JobApiClient client = coordinator.Client(parsed);
                JobRecord job = await client.ResumeAsync(id, stop);
                await (json ? error : output).WriteLineAsync($"{job.Id} is queued again, to {(job.Step > 0 ? $"go on after step {job.Step}" : "begin at step 0")}");
                if (parsed.GetValue(follow))
                    return await FollowedJob.ShowAsync("resume", client, job, json, output, error, stop);
                if (json)
                    JobJson.Write(output, "resume", job);
                return ExitCode.Done;
            },
            follow);
    }

    public static Command Logs(TextWriter output, TextWriter error)
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the job has ended" };
        return Create(
            "logs", "Print the log of a job",
            (parsed, coordinator, id) => async stop =>
            {
                bool json = parsed.GetValue(coordinator.Json);
                using JobApiClient client = coordinator.Client(parsed);
                if (!parsed.GetValue(follow))
                {
                    foreach (JobLogEntry line in await client.LogAsync(id, 0, stop))
                        WriteLine(output, line, json);
                    return ExitCode.Done;
                }

                var follower = new JobFollower(client, TimeProvider.System) { ConnectionChanged = reason => error.WriteLine(FollowedJob.Connection(reason)) };
                try
                {
                    await foreach (JobLogEntry line in follower.FollowAsync(id, 0, stop))
                    {
                        if (json || line.Sequence > 0)
                            WriteLine(output, line, json);
                    }

                    return ExitCode.Done;
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    return ExitCode.Interrupted;
                }
            },
            follow);
    }

    private static void WriteLine(TextWriter output, JobLogEntry line, bool json)
    {
        if (json)
            JobJson.WriteLine(output, line);
        else
            output.WriteLine($"{JobText.Time(line.Time)}  {line.Text}");
    }

    private static Command Create(string verb, string description, Func<ParseResult, CoordinatorOptions, string, Func<CancellationToken, Task<int>>> action, params Option[] options)
    {
        var job = new Argument<string>("JOB") { Description = "The job, such as j1; 'convnet jobs' lists them" };
        var coordinator = new CoordinatorOptions();
        var command = new Command(verb, description) { job };
        foreach (Option option in options)
            command.Options.Add(option);
        coordinator.AddTo(command);
        command.SetAction((parsed, stop) => action(parsed, coordinator, parsed.GetValue(job)!)(stop));
        return command;
    }
}
