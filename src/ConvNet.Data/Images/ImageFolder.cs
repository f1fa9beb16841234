using ConvNet.Core.Tensors;

namespace ConvNet.Data.Images;

/// <summary>A folder of pictures by class: <c>train/CLASS/…</c> and <c>test/CLASS/…</c> (or <c>val</c>, <c>valid</c>, <c>validation</c>).</summary>
/// <remarks>
/// Classes are the folders' names, pictures are taken in the order of their names, byte by byte, so that every machine has the same. Each is cut to the
/// form wanted, about its middle, and made one size. They are held in memory, so that no lane waits for a decoder.
/// </remarks>
public static class ImageFolder
{
    private const long MostBytes = int.MaxValue;
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tga"], TestNames = ["test", "val", "valid", "validation"];

    /// <summary>Reads the folder, on all cores.</summary>
    /// <param name="name">As the user named it, for messages.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="size">The size that pictures are made.</param>
    /// <exception cref="DataException">The folder is of another form, or a picture cannot be read.</exception>
    public static DataSplits Read(string name, string folder, Size size)
    {
        (string training, string test) = Splits(folder);
        string[] classes = Classes(Path.Combine(folder, training)), others = Classes(Path.Combine(folder, test));
        if (others.Except(classes).FirstOrDefault() is { } unknown)
            throw new DataException($"{Path.Combine(folder, test, unknown)}: there is no such class among those to learn from: {string.Join(", ", classes)}.");
        if (classes.Length is < 2 or > 256)
            throw new DataException($"{Path.Combine(folder, training)}: {classes.Length} folders of pictures; it takes 2 to 256, one for each class.");
        return new DataSplits(name, Read(folder, training, classes, size), Read(folder, test, classes, size));
    }

    /// <summary>The names of the files that <see cref="Read(string, string, Size)"/> reads, relative to the folder, with <c>/</c> between their parts.</summary>
    /// <exception cref="DataException">The folder is of another form.</exception>
    public static IReadOnlyList<string> Files(string folder)
    {
        (string training, string test) = Splits(folder);
        return [.. new[] { training, test }.SelectMany(split => Classes(Path.Combine(folder, split)).SelectMany(c => Pictures(folder, split, c)))];
    }

    private static DataSet Read(string folder, string split, string[] classes, Size size)
    {
        var shape = new Shape(3, size.Height, size.Width);
        (string Path, byte Label)[] pictures = [.. classes.SelectMany((c, label) => Pictures(folder, split, c).Select(p => (Path.Combine(folder, p), (byte)label)))];
        if ((long)pictures.Length * shape.Elements > MostBytes)
            throw new DataException($"{Path.Combine(folder, split)}: {pictures.Length} pictures of {size.Height}×{size.Width} do not fit the 2 GB that are held in memory. Choose a smaller size.");
        var pixels = new byte[pictures.Length * shape.Elements];
        try
        {
            Parallel.For(0, pictures.Length, i => ImageFile.ReadCut(pictures[i].Path, shape).CopyTo(pixels, (long)i * shape.Elements));
        }
        catch (AggregateException several)
        {
            // The first in the order of the names, whichever was met first.
            throw several.InnerExceptions.OfType<DataException>().OrderBy(e => e.Message, StringComparer.Ordinal).FirstOrDefault() ?? several.InnerException!;
        }

        return new DataSet(Path.Combine(folder, split), shape, pixels, [.. pictures.Select(p => p.Label)], classes);
    }

    private static (string Training, string Test) Splits(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"{folder}: there is no such folder. Give the folder with train/CLASS/… and test/CLASS/… in it.");
        string? test = TestNames.FirstOrDefault(t => Directory.Exists(Path.Combine(folder, t)));
        return Directory.Exists(Path.Combine(folder, "train")) && test != null
            ? ("train", test)
            : throw new DataException($"{folder}: expected the folders train and test (or val) in it, and in each a folder of pictures for each class.");
    }

    private static string[] Classes(string folder) =>
        [.. Directory.GetDirectories(folder).Select(d => Path.GetFileName(d)).Where(d => d[0] != '.').Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Pictures(string folder, string split, string name) => !Directory.Exists(Path.Combine(folder, split, name))
        ? []    // no test pictures of a class
        : Directory.GetFiles(Path.Combine(folder, split, name)).Select(f => Path.GetFileName(f))
            .Where(f => f[0] != '.' && Endings.Contains(Path.GetExtension(f).ToLowerInvariant()))
            .Order(StringComparer.Ordinal).Select(f => $"{split}/{name}/{f}");
}
