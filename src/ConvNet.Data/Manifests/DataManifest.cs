using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ConvNet.Core.Tensors;
using ConvNet.Data.Digits;

namespace ConvNet.Data.Manifests;

/// <summary>A file of a data set.</summary>
/// <param name="Name">Relative to the data set's folder, with <c>/</c> between its parts.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Of its bytes: 64 hexadecimal digits, lower case.</param>
public sealed record DataFile(string Name, long Length, string Sha256);

/// <summary>What a data set consists of, to the last bit; two with one content hash are the same data.</summary>
/// <remarks>
/// The hash is of the files as they are: the same images gzipped are another data set. It covers, line by line: <c>convnet data 1</c>, the kind, and
/// for each file, sorted by name, its length, hash and name. The built-in digits have no files, but the version of the program that draws them.
/// </remarks>
public sealed class DataManifest
{
    /// <summary>Bytes of the longest text: that of two million pictures.</summary>
    public const int MostBytes = 1 << 28;

    private const string Head = "convnet data 1";
    private const int MostFiles = 1000, MostPictures = 2_000_000;

    /// <summary>Puts a manifest together. Nothing is trusted: it may have come over a network.</summary>
    /// <exception cref="DataException">A file's name could lead out of the folder, is there twice, or a length or hash cannot be.</exception>
    /// <param name="kind">How the files are read.</param>
    /// <param name="files">The files, in any order.</param>
    /// <param name="imageSize">The size that pictures are made; nothing for other kinds.</param>
    public DataManifest(DataKind kind, IEnumerable<DataFile> files, Size imageSize = default)
    {
        (Kind, ImageSize) = (kind, imageSize);
        if (kind == DataKind.Images != (imageSize != default))
            throw new DataException($"data manifest: {DataName.WordOf(kind)} of size {imageSize} cannot be.");
        Files = [.. files.OrderBy(f => f.Name, StringComparer.Ordinal)];
        int most = kind == DataKind.Images ? MostPictures : MostFiles;
        if (Files.Count > most)
            throw new DataException($"data manifest: {Files.Count} files; it takes at most {most}.");
        for (int i = 0; i < Files.Count; i++)
            Check(Files[i], i > 0 ? Files[i - 1].Name : null);
        if (kind == DataKind.Digits && Files.Count > 0)
            throw new DataException("data manifest: the built-in digits have no files.");
        ContentHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text())));
    }

    /// <summary>The manifest of the built-in digits.</summary>
    public static DataManifest Digits { get; } = new(DataKind.Digits, []);

    /// <summary>How the files are read.</summary>
    public DataKind Kind { get; }

    /// <summary>The size that pictures are made; nothing for other kinds.</summary>
    public Size ImageSize { get; }

    /// <summary>Kind and size as one word: see <see cref="DataName.FormatOf"/>.</summary>
    public string Format => DataName.FormatOf(Kind, ImageSize);

    /// <summary>The files, sorted by name.</summary>
    public IReadOnlyList<DataFile> Files { get; }

    /// <summary>SHA-256 of all of it: 64 hexadecimal digits, lower case.</summary>
    public string ContentHash { get; }

    /// <summary>Bytes of all files.</summary>
    public long Length => Files.Sum(f => f.Length);

    /// <summary>The manifest of a text that <see cref="Text"/> gave.</summary>
    /// <exception cref="DataException">It is none.</exception>
    public static DataManifest Parse(string text)
    {
        string[] lines = text.TrimEnd('\n').Split('\n');
        if (lines.Length < 2 || lines[0] != Head || !lines[1].StartsWith("kind ", StringComparison.Ordinal) || DataName.ParseFormat(lines[1]["kind ".Length..]) is not { } format)
            throw new DataException("data manifest: it does not begin as one.");
        return new DataManifest(format.Kind, lines[2..].Select(ParseFile), format.ImageSize);
    }

    private static DataFile ParseFile(string line) =>
        line.Split(' ', 4) is ["file", var length, var sha256, var name] && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
            ? new DataFile(name, bytes, sha256)
            : throw new DataException($"data manifest: '{line}' is no line of one.");

    /// <summary>Whether a text is a SHA-256 as manifests write it.</summary>
    public static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    private static void Check(DataFile file, string? before)
    {
        if (!IsPlain(file.Name))
            throw new DataException($"data manifest: '{file.Name}' is no file name within a folder.");
        if (file.Name == before)
            throw new DataException($"data manifest: {file.Name} is there twice.");
        if (file.Length < 0 || !IsHash(file.Sha256))
            throw new DataException($"data manifest: {file.Name} has a length or hash that cannot be: {file.Length}, '{file.Sha256}'.");
    }

    /// <summary>No way out of the folder, on any system, and no line break in the canonical text.</summary>
    private static bool IsPlain(string? name) =>
        name is { Length: > 0 and <= 250 } && !name.Any(c => char.IsControl(c) || c is '\\' or ':') && !name.Split('/').Any(part => part is "" or "." or "..");

    /// <summary>The text that the content hash is of, in UTF-8.</summary>
    public string Text()
    {
        var text = new StringBuilder($"{Head}\n");
        text.Append(CultureInfo.InvariantCulture, $"kind {Format}{(Kind == DataKind.Digits ? $" {DigitSet.Version}" : "")}\n");
        foreach (DataFile file in Files)
            text.Append(CultureInfo.InvariantCulture, $"file {file.Length} {file.Sha256} {file.Name}\n");
        return text.ToString();
    }
}
