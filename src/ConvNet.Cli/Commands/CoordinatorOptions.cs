using System.CommandLine;
using ConvNet.Dashboard;
using ConvNet.Dashboard.Client;

namespace ConvNet.Cli.Commands;

/// <summary>The options of every command that asks a coordinator: where it is, its token, and whether a script reads the answer.</summary>
internal sealed class CoordinatorOptions
{
    private const string ToVariable = "CONVNET_TO", TokenVariable = "CONVNET_TOKEN";

    public Option<bool> Json { get; } = new("--json") { Description = "Print JSON" };

    private Option<string?> To { get; } = new("--to") { Description = $"The coordinator's HTTP address, as its --http [default: {ToVariable}, else {HttpOptions.DefaultUrl}]", HelpName = "URL" };

    private Option<string?> Token { get; } = new("--token") { Description = $"The coordinator's token, if it asks for one [default: {TokenVariable}, which other users of this machine cannot see]", HelpName = "TOKEN" };

    /// <summary>Adds the options to a command, after its own.</summary>
    public Command AddTo(Command command)
    {
        foreach (Option option in new Option[] { To, Token, Json })
            command.Options.Add(option);
        return command;
    }

    /// <summary>A client of the coordinator that is meant; the caller disposes it.</summary>
    /// <exception cref="JobApiException">The address is none.</exception>
    public JobApiClient Client(ParseResult parsed) => new(
        JobApiAddress.Parse(Given(parsed.GetValue(To), ToVariable) ?? HttpOptions.DefaultUrl), Given(parsed.GetValue(Token), TokenVariable));

    private static string? Given(string? option, string variable) =>
        option ?? (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null);
}
