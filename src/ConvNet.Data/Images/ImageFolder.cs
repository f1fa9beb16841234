using ConvNet.Core.Tensors;

namespace ConvNet.Data.Images;

/// <summary>A folder of pictures by class: <c>train/CLASS/…</c> and <c>test/CLASS/…</c> (or <c>val</c>, <c>valid</c>, <c>validation</c>).</summary>
/// <remarks>
/// Classes are the folders' names, pictures are taken in the order of their names, byte by byte, so that every machine has the same. Each is cut to the
/// form wanted, about its middle, and made one size. What fits <see cref="MostBytesInMemory"/> is decoded at once and held in memory; of what does not, each picture is decoded when
/// it is wanted, which gives the same bytes.
/// </remarks>
public static class ImageFolder
{
    /// <summary>Decoded pictures of both splits that are held in memory at most.</summary>
    public const long MostBytesInMemory = 1L << 30;

    private const int MostClasses = 1 << 16;
    private const string Training = "train";
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tga"], TestNames = ["test", "val", "valid", "validation"];

    /// <summary>Reads pictures, on all cores.</summary>
    /// <param name="name">As the user named them, for messages.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="files">Which pictures, as <see cref="Files"/> gives them; in any order.</param>
    /// <param name="size">The size that pictures are made.</param>
    /// <param name="known">Mean and deviation where another machine has worked them out; they are taken where working them out would mean decoding all pictures only for that.</param>
    /// <param name="mostBytesInMemory">Above this, pictures are decoded when they are wanted.</param>
    /// <exception cref="DataException">The pictures are too few, or one cannot be read.</exception>
    public static DataSplits Read(string name, string folder, IEnumerable<string> files, Size size, Normalisation? known = null, long mostBytesInMemory = MostBytesInMemory)
    {
        (string Split, string Class, string File)[] pictures = [.. files.Select(Parts)
            .OrderBy(p => p.Class, StringComparer.Ordinal).ThenBy(p => p.File, StringComparer.Ordinal)];
        string[] classes = [.. pictures.Where(p => p.Split == Training).Select(p => p.Class).Distinct()];
        var learned = classes.ToHashSet(StringComparer.Ordinal);
        if (pictures.FirstOrDefault(p => !learned.Contains(p.Class)) is { Class: { } unknown, Split: var split })
            throw new DataException($"{Path.Combine(folder, split, unknown)}: there is no such class among those to learn from: {string.Join(", ", classes)}.");
        if (classes.Length is < 2 or > MostClasses)
            throw new DataException($"{Path.Combine(folder, Training)}: {classes.Length} folders of pictures; it takes 2 to {MostClasses}, one for each class.");

        var shape = new Shape(3, size.Height, size.Width);
        bool inMemory = (long)pictures.Length * shape.Elements <= Math.Min(mostBytesInMemory, Array.MaxLength);
        DataSet training = Set(Path.Combine(folder, Training), pictures.Where(p => p.Split == Training)), test = Set(folder, pictures.Where(p => p.Split != Training));
        if (!inMemory && known is null)
            OnAllCores.Run(test.Count, () => new byte[shape.Elements], (i, pixels) => test.Read(i, pixels));      // the training pictures are read for their mean
        return new DataSplits(name, training, test, inMemory ? null : known);

        DataSet Set(string place, IEnumerable<(string Split, string Class, string File)> chosen)
        {
            (string Path, int Label)[] all = [.. chosen.Select(p => (Path.Combine(folder, p.Split, p.Class, p.File), Array.BinarySearch(classes, p.Class, StringComparer.Ordinal)))];
            var source = new Pictures([.. all.Select(p => p.Path)], shape);
            return new DataSet(place, shape, inMemory ? source.ReadAll() : null, inMemory ? null : source, [.. all.Select(p => p.Label)], classes);
        }
    }

    /// <summary>The names of all pictures, relative to the folder, with <c>/</c> between their parts.</summary>
    /// <exception cref="DataException">The folder is of another form.</exception>
    public static IReadOnlyList<string> Files(string folder)
    {
        (string training, string test) = Splits(folder);
        return [.. new[] { training, test }.SelectMany(split => Classes(folder, split).SelectMany(c => PicturesOf(folder, split, c)))];
    }

    /// <summary>Divides pictures into those that can be decoded and those that are damaged, on all cores.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="files">Which, as <see cref="Files"/> gives them.</param>
    /// <exception cref="DataException">A class has no other.</exception>
    public static (IReadOnlyList<string> Good, IReadOnlyList<string> Damaged) Sift(string folder, IReadOnlyList<string> files)
    {
        var isGood = new bool[files.Count];
        OnAllCores.Run(files.Count, () => 0, (i, _) => isGood[i] = ImageFile.IsPicture(Path.Combine(folder, files[i])));
        string[] good = [.. files.Where((_, i) => isGood[i])], damaged = [.. files.Where((_, i) => !isGood[i])];
        static string ClassOf(string file) => file[..file.LastIndexOf('/')];
        return damaged.Select(ClassOf).Distinct().Except(good.Select(ClassOf)).FirstOrDefault() is { } lost
            ? throw new DataException($"{Path.Combine(folder, lost)}: all of its pictures are damaged, none is left to skip to.")
            : (good, damaged);
    }

    private static (string Split, string Class, string File) Parts(string name) =>
        name.Split('/') is [var split, var label, var file] ? (split, label, file) : throw new DataException($"{name}: expected a picture's split, class and name, such as {Training}/cat/1.jpg.");

    private static (string Training, string Test) Splits(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"{folder}: there is no such folder. Give the folder with train/CLASS/… and test/CLASS/… in it.");
        string? test = TestNames.FirstOrDefault(t => Directory.Exists(Path.Combine(folder, t)));
        return Directory.Exists(Path.Combine(folder, Training)) && test != null
            ? (Training, test)
            : throw new DataException($"{folder}: expected the folders train and test (or val) in it, and in each a folder of pictures for each class.");
    }

    private static IEnumerable<string> Classes(string folder, string split) =>
        Directory.GetDirectories(Path.Combine(folder, split)).Select(d => Path.GetFileName(d)).Where(d => d[0] != '.').Order(StringComparer.Ordinal);

    private static string[] PicturesOf(string folder, string split, string name)
    {
        string[] files = [.. Directory.GetFiles(Path.Combine(folder, split, name)).Select(f => Path.GetFileName(f))
            .Where(f => f[0] != '.' && Endings.Contains(Path.GetExtension(f).ToLowerInvariant()))
            .Order(StringComparer.Ordinal).Select(f => $"{split}/{name}/{f}")];
        return files.Length > 0 || split != Training
            ? files
            : throw new DataException($"{Path.Combine(folder, split, name)}: no pictures in it ({string.Join(", ", Endings)}). Remove it, or put some there.");
    }

    /// <summary>Pictures that are decoded when they are wanted.</summary>
    private sealed class Pictures(string[] paths, Shape shape) : IImageSource
    {
        public void Read(int index, Span<byte> pixels) => ImageFile.ReadCut(paths[index], shape, pixels);

        public byte[] ReadAll()
        {
            var pixels = new byte[paths.Length * shape.Elements];
            OnAllCores.Run(paths.Length, () => 0, (i, _) => Read(i, pixels.AsSpan(i * shape.Elements, shape.Elements)));
            return pixels;
        }
    }
}
