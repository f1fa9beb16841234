using ConvNet.Data;
using ConvNet.Data.Manifests;
using Microsoft.Extensions.Logging;

namespace ConvNet.Cluster.DataSets;

/// <summary>The data sets that have been shipped to this node: a folder for each, named by its content hash.</summary>
/// <remarks>
/// A folder is filled under another name and renamed when all of it has been checked, so a folder with a hash for its name is whole. What a process that was killed
/// left behind is removed with the next download. Nodes on one machine may share the cache: each fills a folder of its own, and the first to end gives it its name.
/// </remarks>
internal sealed class ShippedDataSets
{
    private const string Part = ".part", LockOf = ".lock";

    /// <summary>A process that is just taking its lock is not disturbed.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    private readonly ILogger _log;
    private readonly FileHashes _hashes;

    /// <summary>For a folder, which need not exist.</summary>
    public ShippedDataSets(string folder, ILogger log) => (Folder, _log, _hashes) = (Path.GetFullPath(folder), log, new FileHashes(Path.GetFullPath(folder)));

    /// <summary>The cache.</summary>
    public string Folder { get; }

    /// <summary>Finds a data set. One that is damaged is removed. May read all of it.</summary>
    public LocatedData? Find(string name, DataManifest manifest, CancellationToken stop)
    {
        string folder = FolderOf(manifest);
        if (!Directory.Exists(folder))
            return null;
        try
        {
            var damaged = manifest.Files.FirstOrDefault(f => _hashes.Of(Path.Combine(folder, f.Name), stop) != (f.Length, f.Sha256));
            if (damaged is null)
                return new LocatedData(name, manifest, folder, "");
            _log.LogWarning("Data {Name}: {File} in the cache {Folder} is damaged; it is fetched again", name, damaged.Name, folder);
        }
        catch (DataException unreadable)
        {
            _log.LogWarning("Data {Name}: the cache is damaged, and it is fetched again: {Reason}", name, unreadable.Message);
        }

        Remove(name, folder);
        return null;
    }

    /// <summary>Adds a data set.</summary>
    /// <param name="name">The data set, for messages.</param>
    /// <param name="manifest">What it consists of.</param>
    /// <param name="fill">Fills an empty folder with its files, and checks them.</param>
    /// <exception cref="DataException">The cache cannot be written.</exception>
    public async Task<LocatedData> AddAsync(string name, DataManifest manifest, Func<string, Task> fill)
    {
        string part = $"{FolderOf(manifest)}.{Guid.NewGuid():N}{Part}";
        try
        {
            Directory.CreateDirectory(Folder);
            RemoveLeftovers();
            await using var mine = new FileStream(part + LockOf, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            Directory.CreateDirectory(part);
            try
            {
                await fill(part).ConfigureAwait(false);
                MoveInPlace(part, FolderOf(manifest));
            }
            finally
            {
                if (Directory.Exists(part))
                    Directory.Delete(part, recursive: true);
            }
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"data {name}: is not on this node, and cannot be kept in {Folder} ({unwritable.Message.TrimEnd('.')}). Make room, or choose a --data-dir that this user may write.", unwritable);
        }

        return new LocatedData(name, manifest, FolderOf(manifest), "");
    }

    private static void Remove(string name, string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"data {name}: the cache {folder} is damaged and cannot be removed ({kept.Message.TrimEnd('.')}). Remove it by hand.", kept);
        }
    }

    private string FolderOf(DataManifest manifest) => Path.Combine(Folder, manifest.ContentHash);

    private static void MoveInPlace(string part, string folder)
    {
        try
        {
            Directory.Move(part, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another node on this machine was first; it has checked the same files.
        }
    }

    /// <summary>A lock that nobody holds is of a process that is gone.</summary>
    private void RemoveLeftovers()
    {
        foreach (string path in Directory.GetFiles(Folder, $"*{Part}{LockOf}"))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(path) < Settled)
                continue;
            try
            {
                using (new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
                {
                    string part = path[..^LockOf.Length];
                    if (Directory.Exists(part))
                        Directory.Delete(part, recursive: true);
                }
            }
            catch (IOException held)
            {
                _log.LogDebug("{Path} is held by another node: {Reason}", path, held.Message);
            }
        }
    }
}
