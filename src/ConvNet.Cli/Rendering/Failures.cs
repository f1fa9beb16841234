using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Core.Models;
using ConvNet.Core.Tensors;
using ConvNet.Core.Text;
using ConvNet.Dashboard;
using ConvNet.Dashboard.Client;
using ConvNet.Data;
using ConvNet.Data.Downloads;

namespace ConvNet.Cli.Rendering;

/// <summary>Options that were read well but ask for something that cannot be. The message names the option and says what is allowed.</summary>
public sealed class UsageException(string message) : Exception(message);

/// <summary>The table of failures that a user can do something about: what is said, and how the process ends.</summary>
internal static class Failures
{
    /// <summary>The text and exit code of a failure; null for a bug, which keeps its stack trace.</summary>
    public static (string Text, int ExitCode)? Describe(Exception failure) => failure switch
    {
        JobFileException wrong => (string.Join(Environment.NewLine, wrong.Problems.Select(p => $"error: {p}")), ExitCode.WrongUsage),
        JobApiException refused => (string.Join(Environment.NewLine, refused.Problems.Select(p => $"error: {p}")), refused.IsFault ? ExitCode.Failed : ExitCode.WrongUsage),
        NodeSettingsException wrong => (string.Join(Environment.NewLine, wrong.Problems.Select(p => $"error: {p}")), ExitCode.WrongUsage),
        UsageException or DataException or ShapeException or HttpOptionsException => ($"error: {failure.Message}", ExitCode.WrongUsage),
        JobFailedException or JobStoreException or DownloadException => ($"error: {failure.Message}", ExitCode.Failed),
        IOException or UnauthorizedAccessException => ($"error: {failure.Message}", ExitCode.Failed),
        OperationCanceledException => ("stopped before there was anything to keep", ExitCode.Interrupted),
        _ => null,
    };

    /// <summary>A model that is not built in.</summary>
    public static UsageException UnknownModel(string name)
    {
        string? near = NearestWord.Of(name, ModelZoo.All.Select(m => m.Name));
        return new UsageException($"unknown model '{name}'.{(near == null ? "" : $" Did you mean '{near}'?")} 'convnet models' shows them all.");
    }
}
