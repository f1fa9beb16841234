using ConvNet.Core.Tensors;
using ConvNet.Data.Images;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Data.Manifests;

/// <summary>A node's data directory: what may be named in a job is in it, and nothing else.</summary>
public sealed class DataDirectory
{
    private readonly FileHashes _hashes;
    private readonly string _real;

    /// <summary>For a directory, which need not exist.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="clock">Tells how long ago a file was written.</param>
    /// <exception cref="DataException">Symbolic links lead in a circle.</exception>
    public DataDirectory(string path, TimeProvider? clock = null)
    {
        Path = System.IO.Path.GetFullPath(path);
        _real = Real(Path);
        _hashes = new FileHashes(_real, clock);
    }

    /// <summary>The directory, as a whole path.</summary>
    public string Path { get; }

    /// <summary>Finds what a job's <c>data</c> names, and hashes its files if that has not been done. May read all of them: not for actor threads.</summary>
    /// <param name="name">One of <see cref="DataSource.Forms"/>; folders are relative to this directory.</param>
    /// <param name="skipDamaged">Whether damaged pictures are left out: then all are decoded to find them. Otherwise they are found when they are loaded.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="DataException">It is missing, or not in this directory; the message says what to do.</exception>
    public LocatedData Locate(string name, bool skipDamaged = false, CancellationToken stop = default)
    {
        DataName parsed = DataName.Parse(name);
        if (parsed.Kind == DataKind.Digits)
            return new LocatedData(name, DataManifest.Digits, "", "");
        string subject = $"data: {name}", whole = Contained(parsed.Folder, subject);
        if (!Directory.Exists(whole))
        {
            string forms = parsed.Kind == DataKind.Idx ? $" A name is one of {string.Join(", ", DataSource.Forms.Select(f => f.Form))}." : "";
            throw new DataException($"{subject}: there is no folder {parsed.Folder} in the data directory {Path}. Put it there, or choose another --data-dir.{forms}");
        }

        return Located(name, (parsed.Kind, parsed.ImageSize), whole, subject, skipDamaged, stop);
    }

    /// <summary>Finds a data set in a folder of this directory; null if no such folder is here. What it consists of may differ from what is wanted.</summary>
    /// <param name="name">As the user named it, for messages.</param>
    /// <param name="wanted">What it should consist of. Pictures that are there besides do not matter.</param>
    /// <param name="within">The folder, relative to this directory.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="DataException">The folder is not in this directory, or lacks a file.</exception>
    public LocatedData? Find(string name, DataManifest wanted, string within, CancellationToken stop = default)
    {
        if (wanted.Kind == DataKind.Digits)
            return new LocatedData(name, DataManifest.Digits, "", "");
        string subject = $"data: {within}", whole = Contained(within, subject);
        if (!Directory.Exists(whole))
            return null;
        return wanted.Kind == DataKind.Images
            ? Located(name, whole, (wanted.Kind, wanted.ImageSize), [.. wanted.Files.Select(f => f.Name)], subject, stop)
            : Located(name, (wanted.Kind, wanted.ImageSize), whole, subject, skipDamaged: false, stop);
    }

    /// <summary>Finds the weights that a job's <c>init</c> names.</summary>
    /// <param name="name">A file, or the folder of a trained model, relative to this directory.</param>
    /// <returns>The file's whole path.</returns>
    /// <exception cref="DataException">It is missing, or not in this directory; the message says what to do.</exception>
    public string LocateWeights(string name)
    {
        string subject = $"init: {name}", whole = Contained(name, subject), file = Contained(SavedTensors.PathOf(whole), subject);
        return File.Exists(file)
            ? file
            : throw new DataException($"{subject}: there is no such file in the data directory {Path} of the coordinator (looked for {file}). Put it there, or choose another --data-dir.");
    }

    private LocatedData Located(string name, (DataKind Kind, Size ImageSize) format, string folder, string subject, bool skipDamaged, CancellationToken stop)
    {
        IReadOnlyList<string> files = DataSource.Files(format.Kind, folder), damaged = [];
        if (skipDamaged && format.Kind == DataKind.Images)
        {
            foreach (string file in files)
                _ = Contained(System.IO.Path.Combine(folder, file), $"{subject}, {file}");
            (files, damaged) = ImageFolder.Sift(folder, files);
        }

        return Located(name, folder, format, files, subject, stop) with { Skipped = damaged };
    }

    private LocatedData Located(string name, string folder, (DataKind Kind, Size ImageSize) format, IReadOnlyList<string> files, string subject, CancellationToken stop)
    {
        string[] paths = [.. files.Select(f => Contained(System.IO.Path.Combine(folder, f), $"{subject}, {f}"))];
        IReadOnlyList<(long Length, string Sha256)> hashes = _hashes.Of(paths, stop);
        var manifest = new DataManifest(format.Kind, files.Select((f, i) => new DataFile(f, hashes[i].Length, hashes[i].Sha256)), format.ImageSize);
        return new LocatedData(name, manifest, folder, System.IO.Path.GetRelativePath(_real, folder).Replace(System.IO.Path.DirectorySeparatorChar, '/'));
    }

    /// <summary>The real path of a file or folder in this directory. What lies outside is not even looked at.</summary>
    private string Contained(string path, string subject)
    {
        try
        {
            string whole = System.IO.Path.GetFullPath(System.IO.Path.Combine(_real, path));
            string fromGiven = System.IO.Path.GetFullPath(System.IO.Path.Combine(Path, path));      // an absolute path may name the directory as the user does
            if ((RealPath.IsWithin(_real, whole) || RealPath.IsWithin(Path, fromGiven)) && RealPath.Of(whole) is var real && RealPath.IsWithin(_real, real))
                return real;
        }
        catch (Exception impossible) when (impossible is ArgumentException or IOException)
        {
            throw new DataException($"{subject}: is no path ({impossible.Message.TrimEnd('.')}).", impossible);
        }

        throw new DataException($"{subject} is not in the data directory {Path}. Put it there, or choose another --data-dir.");
    }

    private static string Real(string path)
    {
        try
        {
            return RealPath.Of(path);
        }
        catch (IOException circle)
        {
            throw new DataException($"--data-dir {path}: is no path ({circle.Message.TrimEnd('.')}).", circle);
        }
    }
}
