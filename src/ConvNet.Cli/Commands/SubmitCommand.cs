using System.CommandLine;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard;
using ConvNet.Dashboard.Client;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet submit</c>: gives a job to a running cluster.</summary>
internal static class SubmitCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var job = new JobOptions();
        var coordinator = new CoordinatorOptions();
        var priority = new Option<int>("--priority") { Description = "Higher goes first; equal ones in the order of submission [default: 0]", HelpName = "N" };
        var name = new Option<string?>("--name") { Description = "A name for people [default: the model's and the data's]", HelpName = "NAME" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Show how it goes until it has ended" };
        var command = new Command("submit", "Submit a job to a running cluster") { job.JobFile };
        foreach (Option option in (Option[])[.. job.All, priority, name, follow])
            command.Options.Add(option);
        coordinator.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            job.Spec(parsed);       // what is wrong in the file or the options is told before anybody is asked
            (string Text, string Path)? file = job.ReadFile(parsed);
            var request = new SubmitRequest
            {
                Job = file is { } read ? JsonSerializer.SerializeToElement(read.Text) : null,
                FileName = file?.Path,
                Options = job.Overrides(parsed).ToDictionary(field => field.Field, field => JsonSerializer.SerializeToElement(field.Text)),
                Priority = parsed.GetValue(priority),
                Name = parsed.GetValue(name),
            };
            bool json = parsed.GetValue(coordinator.Json), followed = parsed.GetValue(follow);
            TextWriter people = json ? error : output;

            using JobApiClient client = coordinator.Client(parsed);
            JobRecord submitted = await client.SubmitAsync(request, stop);
            await people.WriteLineAsync($"{submitted.Id} is queued: {submitted.Name}");
            if (followed)
                return await FollowedJob.ShowAsync("submit", client, submitted, json, output, error, stop);
            if (json)
                JobJson.Write(output, "submit", submitted);
            else
                await people.WriteLineAsync($"'convnet status {submitted.Id}' tells how it goes, 'convnet logs {submitted.Id} -f' shows it.");
            return ExitCode.Done;
        });
        return command;
    }
}
