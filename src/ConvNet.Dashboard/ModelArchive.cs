using System.Formats.Tar;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Dashboard;

/// <summary>The folder of a model as a tar stream, there and back.</summary>
/// <remarks>Plain files of one folder and nothing else: whoever unpacks takes no path, link or name from the wire but those of a model.</remarks>
public static class ModelArchive
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/x-tar";

    private const int MostFiles = 16;

    /// <summary>Writes the files of a folder.</summary>
    public static async Task WriteAsync(string folder, Stream output, CancellationToken stop)
    {
        await using var tar = new TarWriter(output, TarEntryFormat.Pax, leaveOpen: true);
        foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles().OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            if (file.LinkTarget == null && !file.Name.EndsWith(".tmp", StringComparison.Ordinal))
                await tar.WriteEntryAsync(file.FullName, file.Name, stop);
        }
    }

    /// <summary>Unpacks into a folder, which is made or, where it is there, gets these files in the place of those of the same names. All or none.</summary>
    /// <param name="input">The stream.</param>
    /// <param name="folder">Where the model will be.</param>
    /// <param name="weightsSha256">What the weights must hash to; null takes any.</param>
    /// <param name="stop">Ends it; nothing is left behind.</param>
    /// <returns>The path of the weights.</returns>
    /// <exception cref="InvalidDataException">The stream is no model, was cut, or has other weights.</exception>
    public static async Task<string> ReadAsync(Stream input, string folder, string? weightsSha256, CancellationToken stop)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string parent = Path.GetDirectoryName(folder) ?? throw new InvalidDataException($"{folder}: is no folder that a model could be put into.");
        Directory.CreateDirectory(parent);
        string temporary = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}.tmp");
        Directory.CreateDirectory(temporary);
        try
        {
            List<string> files = await UnpackAsync(input, temporary, stop);
            Check(temporary, files, weightsSha256);
            if (!Directory.Exists(folder))
                Directory.Move(temporary, folder);
            else
            {
                // The weights last: a folder with weights is whole.
                foreach (string name in files.OrderBy(name => name == ModelFile.WeightsName))
                    File.Move(Path.Combine(temporary, name), Path.Combine(folder, name), overwrite: true);
            }

            return Path.Combine(folder, ModelFile.WeightsName);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
    }

    private static async Task<List<string>> UnpackAsync(Stream input, string folder, CancellationToken stop)
    {
        var files = new List<string>();
        await using var tar = new TarReader(input, leaveOpen: true);
        while (await tar.GetNextEntryAsync(copyData: false, stop) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || !IsPlain(entry.Name) || files.Contains(entry.Name))
                throw new InvalidDataException($"the model has an entry '{entry.Name}' ({entry.EntryType}); expected plain files.");
            if (files.Count == MostFiles)
                throw new InvalidDataException($"the model has more than {MostFiles} files.");
            files.Add(entry.Name);
            await using var file = new FileStream(Path.Combine(folder, entry.Name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true);
            if (entry.DataStream is { } data)
                await data.CopyToAsync(file, stop);
            file.Flush(flushToDisk: true);
        }

        return files;
    }

    private static void Check(string folder, List<string> files, string? weightsSha256)
    {
        foreach (string name in new[] { ModelFile.DescriptionName, ModelFile.WeightsName })
        {
            if (!files.Contains(name))
                throw new InvalidDataException($"the model has no {name}; it was cut off on the way, or is none. Fetch it again.");
        }

        TrainedModel model;
        try
        {
            model = ModelFile.Load(folder);
        }
        catch (Data.DataException damaged)
        {
            throw new InvalidDataException($"the model came damaged ({damaged.Message.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal).TrimEnd('.')}). Fetch it again.", damaged);
        }

        if (weightsSha256 != null && model.WeightsSha256 != weightsSha256)
            throw new InvalidDataException($"the model's weights hash to {model.WeightsSha256}; the job's are {weightsSha256}. Fetch it again; if it stays so, the coordinator's disk is damaged.");
    }

    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= 100 && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}
