using System.Security.Cryptography;
using System.Text.Json;
using ConvNet.Data.Files;

namespace ConvNet.Data.Manifests;

/// <summary>SHA-256 of files in a data directory; a file that has not changed since is not read again.</summary>
/// <remarks>
/// Kept in <c>.convnet/hashes.json</c> in the directory, by path, length and time of the last write; only in memory where the directory cannot be written.
/// Several processes may share a directory: the last one to write wins, and what is lost is computed again. A file that was written a moment
/// ago could be written again without its time changing, so its hash is not kept.
/// </remarks>
public sealed class FileHashes
{
    private sealed record Known(long Length, long Modified, string Sha256);

    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly string _directory;
    private readonly string _file;
    private readonly TimeProvider _clock;
    private Dictionary<string, Known>? _known;

    /// <summary>For a data directory.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="clock">Tells how long ago a file was written.</param>
    public FileHashes(string directory, TimeProvider? clock = null) =>
        (_directory, _file, _clock) = (directory, Path.Combine(directory, ".convnet", "hashes.json"), clock ?? TimeProvider.System);

    /// <summary>Files that were read to compute a hash, rather than looked up.</summary>
    internal int Computed { get; private set; }

    /// <summary>Length and hash of a file. May read all of it.</summary>
    /// <param name="path">A file in the data directory.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="DataException">It cannot be read, or is being written.</exception>
    public (long Length, string Sha256) Of(string path, CancellationToken stop = default) => Of([path], stop)[0];

    /// <summary>Length and hash of each of many files, on all cores. May read all of them.</summary>
    /// <param name="paths">Files in the data directory.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="DataException">One cannot be read, or is being written.</exception>
    public IReadOnlyList<(long Length, string Sha256)> Of(IReadOnlyList<string> paths, CancellationToken stop = default)
    {
        var hashes = new (long Length, string Sha256)[paths.Count];
        var computed = new List<(string Key, Known Known)>();
        try
        {
            OnAllCores.Run(paths.Count, () => 0, (i, _) =>
            {
                (Known known, bool isNew) = LookUpOrCompute(paths[i], stop);
                hashes[i] = (known.Length, known.Sha256);
                if (!isNew)
                    return;
                lock (computed)
                    computed.Add((KeyOf(paths[i]), known));
            });
        }
        finally
        {
            if (computed.Count > 0)
                Keep(computed);
        }

        return hashes;
    }

    private (Known Known, bool IsNew) LookUpOrCompute(string path, CancellationToken stop)
    {
        try
        {
            (long Length, long Modified) before = Stamp(path);
            lock (_gate)
            {
                _known ??= Read();
                if (_known.TryGetValue(KeyOf(path), out Known? known) && (known.Length, known.Modified) == before)
                    return (known, false);
            }

            string hash = Hash(path, stop);
            return Stamp(path) == before
                ? (new Known(before.Length, before.Modified, hash), true)
                : throw new DataException($"{path}: is being written. Wait until it is complete, then try again.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read ({unreadable.Message.TrimEnd('.')}).", unreadable);
        }
    }

    private string KeyOf(string path) => Path.GetRelativePath(_directory, path);

    /// <summary>Computes the hash of a file, reading it piece by piece.</summary>
    public static string Hash(string path, CancellationToken stop)
    {
        using var file = new FileStream(path, new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = 0 });
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 18];
        for (int read; (read = file.Read(buffer)) > 0;)
        {
            stop.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static (long Length, long Modified) Stamp(string path)
    {
        var file = new FileInfo(path);
        return (file.Length, file.LastWriteTimeUtc.Ticks);
    }

    private void Keep(List<(string Key, Known Known)> computed)
    {
        lock (_gate)
        {
            Computed += computed.Count;
            long now = _clock.GetUtcNow().UtcDateTime.Ticks;
            computed.RemoveAll(c => now - c.Known.Modified < Settled.Ticks);
            if (computed.Count == 0)
                return;
            foreach (var (other, hash) in Read())       // what other processes have found out meanwhile
                _known!.TryAdd(other, hash);
            foreach ((string key, Known known) in computed)
                _known![key] = known;
            foreach (string gone in _known!.Keys.Where(k => !File.Exists(Path.Combine(_directory, k))).ToArray())
                _known.Remove(gone);
            Write();
        }
    }

    private Dictionary<string, Known> Read()
    {
        try
        {
            var read = JsonSerializer.Deserialize<Dictionary<string, Known>>(File.ReadAllBytes(_file)) ?? [];
            return read.Where(k => k.Value is not null && DataManifest.IsHash(k.Value.Sha256)).ToDictionary();
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];      // there is none, or it is damaged: everything in it can be computed again
        }
    }

    private void Write()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
            AtomicFile.Write(_file, stream => JsonSerializer.Serialize(stream, _known));
        }
        catch (Exception readOnly) when (readOnly is IOException or UnauthorizedAccessException)
        {
            // A directory that cannot be written, as read-only volumes are: the hashes stay in memory.
        }
    }
}
