using System.CommandLine;
using System.Globalization;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet jobs</c>: all jobs of a cluster.</summary>
internal static class JobsCommand
{
    public static Command Create(TextWriter output)
    {
        var coordinator = new CoordinatorOptions();
        Command command = coordinator.AddTo(new Command("jobs", "List the jobs of a cluster, newest first"));
        command.SetAction(async (parsed, stop) =>
        {
            using JobApiClient client = coordinator.Client(parsed);
            IReadOnlyList<JobRecord> jobs = await client.ListAsync(stop);
            if (parsed.GetValue(coordinator.Json))
                JobJson.Write(output, "jobs", "jobs", jobs);
            else if (jobs.Count == 0)
                await output.WriteLineAsync("no jobs; 'convnet submit job.yaml' submits one");
            else
                TextTable.Write(output, ["JOB", "NAME", "STATE", "STEP", "LOSS", "ACCURACY", "IMAGES/S", "SUBMITTED"], jobs.Select(Row));
            return ExitCode.Done;
        });
        return command;
    }

    private static string[] Row(JobRecord job) =>
    [
        job.Id,
        job.Name,
        JobText.State(job) + (job.Priority == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({job.Priority:+0;-0})")),
        job.TotalSteps > 0 ? string.Create(CultureInfo.InvariantCulture, $"{job.Step}/{job.TotalSteps}") : "",
        job.Loss?.ToString("F4", CultureInfo.InvariantCulture) ?? "",
        job.TestAccuracy is { } accuracy ? string.Create(CultureInfo.InvariantCulture, $"{100 * accuracy:F2} %") : "",
        job.SamplesPerSecond?.ToString("N0", CultureInfo.InvariantCulture) ?? "",
        JobText.Time(job.Submitted),
    ];
}
