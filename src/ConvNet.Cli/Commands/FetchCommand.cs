using System.CommandLine;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet fetch JOB --out DIR</c>: the model of a job that is done, as <c>convnet train</c> would have saved it.</summary>
internal static class FetchCommand
{
    public static Command Create(TextWriter output)
    {
        var job = new Argument<string>("JOB") { Description = "The job, such as j1; 'convnet jobs' lists them" };
        var folder = new Option<string?>("--out") { Description = "Folder for the model [default: runs/JOB]", HelpName = "DIR" };
        var coordinator = new CoordinatorOptions();
        Command command = coordinator.AddTo(new Command("fetch", "Fetch the model of a job that is done") { job, folder });
        command.SetAction(async (parsed, stop) =>
        {
            using JobApiClient client = coordinator.Client(parsed);
            JobRecord found = await client.FindAsync(parsed.GetValue(job)!, stop);
            string wanted = parsed.GetValue(folder) ?? Path.Combine("runs", found.Id);
            string path = Path.Combine(wanted, Path.GetFileName(await FetchAsync(client, found, wanted, stop)));
            if (parsed.GetValue(coordinator.Json))
            {
                await output.WriteLineAsync(JsonSerializer.Serialize(
                    new { command = "fetch", id = found.Id, name = found.Name, weightsSha256 = found.WeightsSha256, modelPath = path }, JsonText.Options));
            }
            else
            {
                await output.WriteLineAsync($"model    {path}");
                await output.WriteLineAsync($"weights  sha256 {found.WeightsSha256}");
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<string> FetchAsync(JobApiClient client, JobRecord job, string folder, CancellationToken stop)
    {
        try
        {
            return await client.FetchModelAsync(job, folder, stop);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--out {folder}: the model cannot be put there ({refused.Message.TrimEnd('.')}). Choose another folder.");
        }
    }
}
