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
}

/// <summary>A job's <c>data</c>, taken apart.</summary>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Kind">How its files are read.</param>
/// <param name="Folder">Where they are; empty for the built-in digits.</param>
public sealed record DataName(string Text, DataKind Kind, string Folder)
{
    private static readonly (DataKind Kind, string Word)[] Words =
    [
        (DataKind.Digits, "digits"), (DataKind.Mnist, "mnist"), (DataKind.FashionMnist, "fashion-mnist"), (DataKind.Idx, "idx"),
        (DataKind.Cifar10, "cifar10"), (DataKind.Cifar10Validation, "cifar10-validation"), (DataKind.Cifar100, "cifar100"),
    ];

    /// <summary>The word for a kind, in names and manifests: for ever the same.</summary>
    public static string WordOf(DataKind kind) => Array.Find(Words, w => w.Kind == kind).Word ?? throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of data.");

    /// <summary>The kind that a word stands for, or null.</summary>
    public static DataKind? KindOf(string word) => Array.FindIndex(Words, w => w.Word == word) is >= 0 and var at ? Words[at].Kind : null;

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
            (_, "") => throw new DataException($"data '{text}': give the folder with its files too, such as {scheme}:data/{scheme}."),
            _ => new DataName(text, KindOf(scheme)!.Value, folder),
        };
    }
}
