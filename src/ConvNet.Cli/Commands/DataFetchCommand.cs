using System.CommandLine;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Core.Text;
using ConvNet.Data.Downloads;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet data fetch SET</c>: gets a published data set, checks and unpacks it.</summary>
internal static class DataFetchCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        string names = string.Join(", ", PublishedSet.All.Select(s => s.Name));
        var set = new Argument<string>("SET") { Description = $"One of {names}" };
        var folder = new Option<string?>("--dir") { Description = "Folder for its files [default: data/SET]", HelpName = "DIR" };
        var mirrors = new Option<string[]>("--mirror") { Description = "An address to try first, for its files under their published names; may be given several times", HelpName = "URL" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("fetch", "Get a published data set, checked and unpacked; what was interrupted is gone on with") { set, folder, mirrors, json };
        command.SetAction((parsed, stop) =>
        {
            string name = parsed.GetValue(set)!;
            PublishedSet found = PublishedSet.Find(name) ?? throw Unknown(name, names);
            return RunAsync(found, parsed.GetValue(folder) ?? Path.Combine("data", name), parsed.GetValue(mirrors) ?? [], parsed.GetValue(json), output, error, stop);
        });
        return command;
    }

    private static async Task<int> RunAsync(PublishedSet set, string folder, string[] mirrors, bool json, TextWriter output, TextWriter error, CancellationToken stop)
    {
        Uri[] first = [.. mirrors.Select(Address)];
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        IReadOnlyList<FetchedFile> files = await DownloadBars.ShowAsync(error, progress => SetDownload.RunAsync(set, folder, first, client, progress, stop));
        if (json)
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(
                new { command = "data fetch", set = set.Name, folder, files = files.Select(f => new { name = f.Name, bytes = f.Length, from = f.From?.AbsoluteUri }) }, JsonText.Options));
            return ExitCode.Done;
        }

        foreach (FetchedFile file in files)
            await output.WriteLineAsync(file.From is { } from ? $"{file.Name}: {file.Length:N0} bytes from {from.Host}, checked" : $"{file.Name}: was there already");
        await output.WriteLineAsync($"data     --data {set.Name}:{folder}");
        return ExitCode.Done;
    }

    private static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"
            ? address
            : throw new UsageException($"--mirror {text}: expected an address such as https://example.org/data/.");

    private static UsageException Unknown(string name, string names)
    {
        string? near = NearestWord.Of(name, PublishedSet.All.Select(s => s.Name));
        return new UsageException($"unknown data set '{name}'.{(near == null ? "" : $" Did you mean '{near}'?")} It takes {names}.");
    }
}
