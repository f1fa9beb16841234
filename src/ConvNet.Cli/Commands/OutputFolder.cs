using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Jobs;

namespace ConvNet.Cli.Commands;

/// <summary>Where a run's files go.</summary>
internal static class OutputFolder
{
    /// <summary>Makes the folder: the one asked for, or the first free one of <c>runs/MODEL-DATA</c>, <c>runs/MODEL-DATA-2</c>, …</summary>
    /// <exception cref="UsageException">It cannot be made.</exception>
    public static string Make(string? wanted, JobSpec spec)
    {
        string folder = wanted ?? Free(Path.Combine("runs", $"{spec.Model}-{Plain(spec.Data)}"));
        try
        {
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--out {folder}: cannot be made a folder ({refused.Message.TrimEnd('.')}). Choose another.");
        }
    }

    private static string Free(string stem)
    {
        string folder = stem;
        for (int n = 2; Directory.Exists(folder) || File.Exists(folder); n++)
            folder = $"{stem}-{n}";
        return folder;
    }

    /// <summary>The data's name as part of a file name: <c>mnist:some/dir</c> becomes <c>mnist</c>, a path its last part.</summary>
    private static string Plain(string data)
    {
        int colon = data.IndexOf(':', StringComparison.Ordinal);
        string name = colon > 1 ? data[..colon] : Path.GetFileName(Path.TrimEndingDirectorySeparator(data));
        string plain = new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-')]);
        return plain.Length == 0 ? "data" : plain;
    }
}
