using System.Text.Json;
using ConvNet.Cli;

namespace ConvNet.Dashboard.Tests.Support;

/// <summary>What <c>convnet train --json</c> in this process left.</summary>
internal sealed record TrainRun(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public string Text(string field) => Json.GetProperty(field).GetString()!;

    public static async Task<TrainRun> Of(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exitCode = await CommandLine.RunAsync(["train", "--json", .. arguments], output, error);
        return new(exitCode, output.ToString(), error.ToString());
    }
}
