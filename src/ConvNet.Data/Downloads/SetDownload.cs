using System.Formats.Tar;
using System.IO.Compression;
using ConvNet.Data.Files;
using ConvNet.Data.Manifests;

namespace ConvNet.Data.Downloads;

/// <summary>How far a file has come.</summary>
/// <param name="File">The file.</param>
/// <param name="Bytes">What is there, with what was there before.</param>
/// <param name="Length">Bytes of the whole file.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long Length);

/// <summary>What has become of a file.</summary>
/// <param name="Name">The file.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="From">Where it came from; null if it was there already.</param>
public sealed record FetchedFile(string Name, long Length, Uri? From);

/// <summary>Gets a published data set into a folder. Nothing in it has the name of a data file that has not been checked.</summary>
/// <remarks>A file that is there and right is left alone. One that is on its way is <c>NAME.part</c>, and is gone on with when asked for again.</remarks>
public static class SetDownload
{
    /// <summary>Gets it.</summary>
    /// <param name="set">The data set.</param>
    /// <param name="folder">Where its files go; it is made if need be.</param>
    /// <param name="mirrors">Addresses that are tried before the published ones.</param>
    /// <param name="client">For the requests.</param>
    /// <param name="progress">Is told how far each file has come.</param>
    /// <param name="stop">Ends it; what has come stays for the next time.</param>
    /// <exception cref="DownloadException">No address gave a file as it should be, or the folder cannot be written.</exception>
    public static async Task<IReadOnlyList<FetchedFile>> RunAsync(
        PublishedSet set, string folder, IReadOnlyList<Uri> mirrors, HttpClient client, IProgress<DownloadProgress>? progress = null, CancellationToken stop = default)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var fetched = new List<FetchedFile>();
            foreach (PublishedFile file in set.Files)
            {
                Uri? from = IsThere(file, folder, stop) ? null : await GetAsync(file, folder, [.. mirrors, .. set.Addresses], client, progress, stop).ConfigureAwait(false);
                fetched.Add(new FetchedFile(file.Name, file.Length, from));
            }

            FolderFlush.Flush(folder);
            return fetched;
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new DownloadException($"{folder}: cannot be written ({unwritable.Message.TrimEnd('.')}). Make room, choose another folder, or wait for whoever else is fetching into it.", unwritable);
        }
    }

    private static bool IsThere(PublishedFile file, string folder, CancellationToken stop)
    {
        if (file.Members.Count > 0)
            return file.Members.All(m => new FileInfo(Path.Combine(folder, m.Name)) is { Exists: true, Length: var length } && (m.Length ?? length) == length);
        var there = new FileInfo(Path.Combine(folder, file.Name));
        return there.Exists && there.Length == file.Length && FileHashes.Hash(there.FullName, stop) == file.Sha256;
    }

    private static async Task<Uri> GetAsync(
        PublishedFile file, string folder, IReadOnlyList<Uri> addresses, HttpClient client, IProgress<DownloadProgress>? progress, CancellationToken stop)
    {
        string part = Path.Combine(folder, $"{file.Name}.part");
        Uri from = await new FileDownload(file, part, client, progress).FromAnyAsync(addresses, stop).ConfigureAwait(false);
        if (file.Members.Count == 0)
        {
            File.Move(part, Path.Combine(folder, file.Name), overwrite: true);
            return from;
        }

        Unpack(file, part, folder, stop);
        File.Delete(part);
        return from;
    }

    /// <summary>Takes the members out, wherever in the archive they are: all under temporary names first, so that no name leads out of the folder and none is there half.</summary>
    private static void Unpack(PublishedFile file, string archive, string folder, CancellationToken stop)
    {
        string temporary = Path.Combine(folder, $".{file.Name}.{Guid.NewGuid():N}");
        Directory.CreateDirectory(temporary);
        try
        {
            using (var packed = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress))
            using (var tar = new TarReader(packed))
            {
                while (tar.GetNextEntry() is { } entry)
                {
                    stop.ThrowIfCancellationRequested();
                    string name = entry.Name[(entry.Name.LastIndexOf('/') + 1)..];
                    if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && file.Members.Any(m => m.Name == name))
                        entry.ExtractToFile(Path.Combine(temporary, name), overwrite: true);
                }
            }

            foreach (ArchiveMember member in file.Members)
            {
                var unpacked = new FileInfo(Path.Combine(temporary, member.Name));
                if (!unpacked.Exists || unpacked.Length != (member.Length ?? unpacked.Length))
                    throw new DownloadException($"{archive}: {member.Name} {(unpacked.Exists ? $"has {unpacked.Length} bytes, expected {member.Length}" : "is not in it")}. Remove the archive and fetch it again.");
            }

            foreach (ArchiveMember member in file.Members)
                File.Move(Path.Combine(temporary, member.Name), Path.Combine(folder, member.Name), overwrite: true);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or EndOfStreamException)
        {
            throw new DownloadException($"{archive}: is no archive that can be unpacked ({damaged.Message.TrimEnd('.')}). Remove it and fetch it again.", damaged);
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }
}
