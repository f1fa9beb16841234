using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using ConvNet.Data.Files;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Data.Checkpoints;

/// <summary>A checkpoint that was read and found whole.</summary>
/// <param name="Manifest">What it is of.</param>
/// <param name="State">Weights and running statistics.</param>
/// <param name="Optimizer">The optimizer's state, plane after plane, a float for each parameter in each.</param>
/// <param name="Best">Weights and running statistics of the best epoch so far, where the job keeps them.</param>
public sealed record Checkpoint(CheckpointManifest Manifest, float[] State, float[] Optimizer, float[]? Best = null);

/// <summary>The checkpoints of one job in one folder: written whole or not at all, the newest few kept, damaged ones passed over.</summary>
/// <remarks>
/// <code>
/// checkpoints/step-000000001200/weights.safetensors, optimizer.safetensors, manifest.json
/// </code>
/// A checkpoint is written into a folder with a temporary name: the values, each flushed to the disk, then the manifest with their lengths and SHA-256, then
/// the folder is renamed. So whatever happens, a folder with its final name is whole; and should a disk lie about that, the hashes tell.
/// One process writes at a time.
/// </remarks>
/// <param name="folder">The folder; made when the first checkpoint is written.</param>
/// <param name="job">The fingerprint of the job.</param>
public sealed class CheckpointFolder(string folder, string job)
{
    /// <summary>The file with weights and running statistics.</summary>
    public const string WeightsName = "weights.safetensors";

    /// <summary>The file with the optimizer's state.</summary>
    public const string OptimizerName = "optimizer.safetensors";

    /// <summary>The file with weights and running statistics of the best epoch so far; only in checkpoints of jobs that keep them.</summary>
    public const string BestName = "best.safetensors";

    private const string Prefix = "step-", Temporary = ".tmp";

    /// <summary>Writes a checkpoint, then removes all but the newest <paramref name="keep"/>.</summary>
    /// <param name="step">Steps taken.</param>
    /// <param name="tensors">Names for the slices of <paramref name="state"/>, without gaps; what they leave at the end is given the name <c>statistics</c>.</param>
    /// <param name="state">Weights and running statistics.</param>
    /// <param name="optimizer">The optimizer's state, plane after plane.</param>
    /// <param name="planes">How many planes.</param>
    /// <param name="epochs">The metrics so far.</param>
    /// <param name="keep">How many to keep, at least 1.</param>
    /// <param name="best">Weights and running statistics of the best epoch so far; empty where none are kept.</param>
    /// <returns>Its folder, and its bytes.</returns>
    /// <exception cref="IOException">The disk did not take it. What was there before is still there.</exception>
    public (string Folder, long Bytes) Write(
        long step, IReadOnlyList<NamedTensor> tensors, ReadOnlySpan<float> state, ReadOnlySpan<float> optimizer, int planes, IReadOnlyList<CheckpointEpoch> epochs, int keep,
        ReadOnlySpan<float> best = default)
    {
        string final = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D12}"));
        string temporary = final + Temporary;
        foreach (string torn in Directory.Exists(folder) ? Directory.GetDirectories(folder, $"{Prefix}*{Temporary}") : [])
            Remove(torn);
        Directory.CreateDirectory(temporary);
        var metadata = new Dictionary<string, string> { ["job"] = job, ["step"] = step.ToString(CultureInfo.InvariantCulture) };
        CheckpointFile[] files =
        [
            WriteValues(temporary, WeightsName, WithStatistics(tensors, state.Length), state, metadata),
            WriteValues(temporary, OptimizerName, Planes(optimizer.Length, planes), optimizer, metadata),
        ];
        if (!best.IsEmpty)
            files = [.. files, WriteValues(temporary, BestName, WithStatistics(tensors, best.Length), best, metadata)];
        var manifest = new CheckpointManifest(CheckpointManifest.CurrentFormat, job, step, files, epochs);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(manifest, CheckpointManifest.Json);
        AtomicFile.Write(Path.Combine(temporary, CheckpointManifest.FileName), stream => stream.Write(json));
        FolderFlush.Flush(temporary);

        // One of the same step, written by an attempt before, has the same bits, unless it is damaged.
        string before = $"{final}.before{Temporary}";
        if (Directory.Exists(final))
            Directory.Move(final, before);
        Directory.Move(temporary, final);
        Remove(before);
        FolderFlush.Flush(folder);
        foreach (string old in Newest().Skip(keep))
            Remove(old);
        return (final, files.Sum(f => f.Length));
    }

    /// <summary>The newest checkpoint that is whole, and a warning for each newer one that is not.</summary>
    public (Checkpoint? Newest, IReadOnlyList<string> Warnings) ReadNewest()
    {
        var warnings = new List<string>();
        foreach (string path in Newest())
        {
            try
            {
                return (Read(path), warnings);
            }
            catch (DataException damaged)
            {
                warnings.Add($"the checkpoint {path} cannot be used and is passed over: {damaged.Message}");
            }
        }

        return (null, warnings);
    }

    /// <summary>The folders of all checkpoints, newest first; whether they are whole is not looked at.</summary>
    public IReadOnlyList<string> Newest() => !Directory.Exists(folder) ? [] :
    [
        .. Directory.GetDirectories(folder, Prefix + "*")
            .Where(path => long.TryParse(Path.GetFileName(path)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .OrderDescending(StringComparer.Ordinal),
    ];

    private Checkpoint Read(string path)
    {
        var manifest = ReadManifest(Path.Combine(path, CheckpointManifest.FileName));
        if (manifest.Format != CheckpointManifest.CurrentFormat)
            throw new DataException($"its format is {manifest.Format}, this program reads {CheckpointManifest.CurrentFormat}.");
        if (manifest.Job != job)
            throw new DataException("it is of another job, or of the same one with other settings or data.");
        return new(
            manifest, ReadValues(path, manifest, WeightsName), ReadValues(path, manifest, OptimizerName),
            manifest.Files.Any(f => f.Name == BestName) ? ReadValues(path, manifest, BestName) : null);
    }

    private static CheckpointManifest ReadManifest(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<CheckpointManifest>(File.ReadAllBytes(path), CheckpointManifest.Json)
                ?? throw new DataException($"{CheckpointManifest.FileName} is empty.");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{CheckpointManifest.FileName} cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }

    private static float[] ReadValues(string folder, CheckpointManifest manifest, string name)
    {
        string path = Path.Combine(folder, name);
        var expected = manifest.Files.FirstOrDefault(f => f.Name == name) ?? throw new DataException($"{CheckpointManifest.FileName} does not mention {name}.");
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length != expected.Length)
                throw new DataException($"{name} has {stream.Length} bytes, expected {expected.Length}.");
            if (Convert.ToHexStringLower(SHA256.HashData(stream)) != expected.Sha256)
                throw new DataException($"{name} is damaged: its SHA-256 is not the one that was written.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{name} cannot be read ({e.Message.TrimEnd('.')}).", e);
        }

        return Safetensors.Read(path).Values;
    }

    private static CheckpointFile WriteValues(string folder, string name, IReadOnlyList<NamedTensor> tensors, ReadOnlySpan<float> values, Dictionary<string, string> metadata)
    {
        using var file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        using var sha256 = SHA256.Create();
        using (var hashing = new CryptoStream(file, sha256, CryptoStreamMode.Write, leaveOpen: true))
            Safetensors.Write(hashing, tensors, values, metadata);
        file.Flush(flushToDisk: true);
        return new(name, file.Length, Convert.ToHexStringLower(sha256.Hash!));
    }

    private static NamedTensor[] WithStatistics(IReadOnlyList<NamedTensor> tensors, int length)
    {
        int named = tensors.Count == 0 ? 0 : tensors.Max(t => t.Offset + t.Length);
        return named == length ? [.. tensors] : [.. tensors, new NamedTensor("statistics", [length - named], named)];
    }

    private static NamedTensor[] Planes(int length, int planes) =>
        [.. Enumerable.Range(0, planes).Select(p => new NamedTensor($"plane.{p}", [length / planes], p * (length / planes)))];

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
