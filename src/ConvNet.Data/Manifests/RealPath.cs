namespace ConvNet.Data.Manifests;

/// <summary>Where a path leads when all symbolic links on the way are followed.</summary>
internal static class RealPath
{
    private const int MostLinks = 40;   // as Linux has it

    /// <summary>Follows the links. Parts that do not exist are kept as they are.</summary>
    /// <exception cref="IOException">Links lead in a circle.</exception>
    public static string Of(string path)
    {
        string whole = Path.GetFullPath(path);
        int links = 0;
        while (true)
        {
            string? shorter = FollowFirstLink(whole);
            if (shorter is null)
                return Path.TrimEndingDirectorySeparator(whole);
            if (++links > MostLinks)
                throw new IOException($"{path}: too many symbolic links.");
            whole = shorter;
        }
    }

    /// <summary>Whether a real path is a folder or lies in it.</summary>
    public static bool IsWithin(string folder, string path) =>
        path == folder || path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static string? FollowFirstLink(string path)
    {
        string at = Path.GetPathRoot(path)!;
        string[] parts = path[at.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < parts.Length; i++)
        {
            string folder = at;
            at = Path.Combine(at, parts[i]);
            if (new FileInfo(at).LinkTarget is { } target)
                return Path.GetFullPath(Path.Combine([folder, target, .. parts[(i + 1)..]]));
        }

        return null;
    }
}
