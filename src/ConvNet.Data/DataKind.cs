using System.Globalization;
using ConvNet.Core.Tensors;

namespace ConvNet.Data;

/// <summary>How the files of a data set are read.</summary>
public enum DataKind
{
    /// <summary>The built-in digits; no files.</summary>
    Digits = 0,

    /// <summary>MNIST's four IDX files.</summary>
    Mnist = 1,

    /// <summary>Fashion-MNIST's four IDX files.</summary>
    FashionMnist = 2,

    /// <summary>Any four such IDX files.</summary>
    Idx = 3,

    /// <summary>CIFAR-10's six binary files.</summary>
    Cifar10 = 4,

    /// <summary>CIFAR-10's first four training files to learn from, the fifth to be measured on: for choosing settings without looking at the test set.</summary>
    Cifar10Validation = 5,

    /// <summary>CIFAR-100's two binary files, fine classes.</summary>
    Cifar100 = 6,

    /// <summary>Pictures in folders named by their class, made one size.</summary>
    Images = 7,
}

/// <summary>A job's <c>data</c>, taken apart.</summary>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Kind">How its files are read.</param>
/// <param name="Folder">Where they are; empty for the built-in digits.</param>
/// <param name="ImageSize">The size that pictures are made; nothing for other kinds.</param>
public sealed record DataName(string Text, DataKind Kind, string Folder, Size ImageSize = default)
{
    /// <summary>Most pixels of a side that pictures can be made.</summary>
    public const int LargestSide = 4096;

    private static readonly (DataKind Kind, string Word)[] Words =
    [
        (DataKind.Digits, "digits"), (DataKind.Mnist, "mnist"), (DataKind.FashionMnist, "fashion-mnist"), (DataKind.Idx, "idx"),
        (DataKind.Cifar10, "cifar10"), (DataKind.Cifar10Validation, "cifar10-validation"), (DataKind.Cifar100, "cifar100"),
        (DataKind.Images, "images"),
    ];

    /// <summary>The word for a kind, in names and manifests: for ever the same.</summary>
    public static string WordOf(DataKind kind) => Array.Find(Words, w => w.Kind == kind).Word ?? throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of data.");

    /// <summary>The kind that a word stands for, or null.</summary>
    public static DataKind? KindOf(string word) => Array.FindIndex(Words, w => w.Word == word) is >= 0 and var at ? Words[at].Kind : null;

    /// <summary>A kind, with the size that pictures are made, as one word in manifests and messages: <c>images 224x224</c>.</summary>
    public static string FormatOf(DataKind kind, Size imageSize) => kind == DataKind.Images ? $"{WordOf(kind)} {imageSize.Height}x{imageSize.Width}" : WordOf(kind);

    /// <summary>What <see cref="FormatOf"/> wrote; null where it cannot have.</summary>
    public static (DataKind Kind, Size ImageSize)? ParseFormat(string text)
    {
        string[] words = text.Split(' ');
        return (KindOf(words[0]), words.Length) switch
        {
            (DataKind.Images, 2) => ParseSize(words[1]) is { } size ? (DataKind.Images, size) : null,
            (null or DataKind.Images, _) => null,
            ({ } kind, 1) => (kind, default),
            _ => null,
        };
    }

    /// <summary>Takes a name apart. Whether the folder is there is not looked at.</summary>
    /// <exception cref="DataException">The name says what but not where.</exception>
    public static DataName Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        (string scheme, string folder) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        return (scheme, folder) switch
        {
            ("digits", "") => new DataName(text, DataKind.Digits, ""),
            _ when KindOf(scheme) is not { } kind || kind is DataKind.Digits or DataKind.Idx => new DataName(text, DataKind.Idx, text),
            ("images", _) => ParseImages(text, folder),
            (_, "") => throw new DataException($"data '{text}': give the folder with its files too, such as {scheme}:data/{scheme}."),
            _ => new DataName(text, KindOf(scheme)!.Value, folder),
        };
    }

    private static DataName ParseImages(string text, string rest)
    {
        int colon = rest.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon + 1 < rest.Length && ParseSize(rest[..colon]) is { } size
            ? new DataName(text, DataKind.Images, rest[(colon + 1)..], size)
            : throw new DataException($"data '{text}': give the size that pictures are made, up to {LargestSide} pixels, and their folder, such as images:224:data/pictures or images:128x192:data/pictures.");
    }

    private static Size? ParseSize(string text)
    {
        string[] sides = text.Split('x');
        int[] pixels = [.. sides.Select(s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n <= LargestSide ? n : 0)];
        return sides.Length is 1 or 2 && pixels.Min() > 0 ? new Size(pixels[0], pixels[^1]) : null;
    }
}
