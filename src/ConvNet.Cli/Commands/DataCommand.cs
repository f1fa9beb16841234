using System.CommandLine;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet data fetch|show</c>: getting data sets, and looking at them.</summary>
internal static class DataCommand
{
    public static Command Create(TextWriter output, TextWriter error) => new("data", "Get data sets, and look at them")
    {
        DataFetchCommand.Create(output, error),
        DataShowCommand.Create(output),
    };
}
