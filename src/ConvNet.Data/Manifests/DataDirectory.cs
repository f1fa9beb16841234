using ConvNet.Core.Tensors;
using ConvNet.Data.Idx;

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
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="DataException">It is missing, or not in this directory; the message says what to do.</exception>
    public LocatedData Locate(string name, CancellationToken stop = default)
    {
        DataName parsed = DataName.Parse(name);
        return parsed.Kind == DataKind.Digits
            ? new LocatedData(name, DataManifest.Digits, "", "")
            : LocateFolder(name, (parsed.Kind, parsed.ImageSize), parsed.Folder, $"data: {name}", stop);
    }

    /// <summary>Finds a data set in a folder of this directory; null if no such folder is here.</summary>
    /// <param name="name">As the user named it, for messages.</param>
    /// <param name="format">How its files are read.</param>
    /// <param name="within">The folder, relative to this directory.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="DataException">The folder is not in this directory, or lacks a file.</exception>
    public LocatedData? Find(string name, (DataKind Kind, Size ImageSize) format, string within, CancellationToken stop = default)
    {
        if (format.Kind == DataKind.Digits)
            return new LocatedData(name, DataManifest.Digits, "", "");
        string folder = Contained(within, $"data: {within}");
        return Directory.Exists(folder) ? LocateFolder(name, format, within, $"data: {within}", stop) : null;
    }

    private LocatedData LocateFolder(string name, (DataKind Kind, Size ImageSize) format, string folder, string subject, CancellationToken stop)
    {
        string whole = Contained(folder, subject);
        if (!Directory.Exists(whole))
        {
            string forms = format.Kind == DataKind.Idx ? $" A name is one of {string.Join(", ", DataSource.Forms.Select(f => f.Form))}." : "";
            throw new DataException($"{subject}: there is no folder {folder} in the data directory {Path}. Put it there, or choose another --data-dir.{forms}");
        }

        var files = new List<DataFile>();
        foreach (string file in DataSource.Files(format.Kind, whole))
        {
            string path = Contained(System.IO.Path.Combine(whole, file), $"{subject}, {file}");
            (long length, string sha256) = _hashes.Of(path, stop);
            files.Add(new DataFile(file, length, sha256));
        }

        string within = System.IO.Path.GetRelativePath(_real, whole).Replace(System.IO.Path.DirectorySeparatorChar, '/');
        return new LocatedData(name, new DataManifest(format.Kind, files, format.ImageSize), whole, within);
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
