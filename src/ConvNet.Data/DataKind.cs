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
}

/// <summary>A job's <c>data</c>, taken apart.</summary>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Kind">How its files are read.</param>
/// <param name="Folder">Where they are; empty for the built-in digits.</param>
public sealed record DataName(string Text, DataKind Kind, string Folder)
{
    private static readonly (DataKind Kind, string Word)[] Words =
        [(DataKind.Digits, "digits"), (DataKind.Mnist, "mnist"), (DataKind.FashionMnist, "fashion-mnist"), (DataKind.Idx, "idx")];

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
            ("mnist" or "fashion-mnist", "") => throw new DataException($"data '{text}': give the folder with its files too, such as {scheme}:data/{scheme}."),
            ("mnist", _) => new DataName(text, DataKind.Mnist, folder),
            ("fashion-mnist", _) => new DataName(text, DataKind.FashionMnist, folder),
            _ => new DataName(text, DataKind.Idx, text),
        };
    }
}
