using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Core.Text;

namespace ConvNet.Cli.Rendering;

/// <summary>Tells what was wrong with a command line, and which option or verb was likely meant.</summary>
internal static class WrongUsage
{
    /// <summary>Writes one line for each error, and where to read more.</summary>
    public static void Write(ParseResult parsed, TextWriter error)
    {
        Command command = parsed.CommandResult.Command;
        // An argument that is free to be anything also swallows a mistyped option; no file here begins with a dash.
        string[] unknown = [.. MistypedOptions(parsed)];
        if (unknown.Length == 0)
            unknown = [.. parsed.UnmatchedTokens];
        foreach (string token in unknown)
        {
            IEnumerable<string> candidates = token.StartsWith('-')
                ? Options(parsed.CommandResult).SelectMany(o => o.Aliases.Prepend(o.Name)).Where(n => n.StartsWith("--", StringComparison.Ordinal))
                : command.Subcommands.Select(c => c.Name);
            string what = token.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
            string? near = NearestWord.Of(token, candidates);
            error.WriteLine($"error: unknown {what} '{token}'{(near == null ? "" : $". Did you mean '{near}'?")}");
        }

        if (unknown.Length == 0)
        {
            foreach (ParseError problem in parsed.Errors)
                error.WriteLine($"error: {problem.Message}");
        }

        error.WriteLine($"'{Path(parsed.CommandResult)} --help' shows what there is.");
    }

    /// <summary>Words that look like options but are none.</summary>
    public static IEnumerable<string> MistypedOptions(ParseResult parsed) => parsed.Tokens
        .TakeWhile(token => token.Type != TokenType.DoubleDash)
        .Where(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))
        .Select(token => token.Value);

    private static IEnumerable<Option> Options(CommandResult command)
    {
        for (SymbolResult? at = command; at != null; at = at.Parent)
        {
            foreach (Option option in at is CommandResult { Command.Options: var options } ? options : [])
                yield return option;
        }
    }

    private static string Path(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{Path(parent)} {command.Command.Name}" : "convnet";
}
