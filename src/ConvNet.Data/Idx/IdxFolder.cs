using ConvNet.Core.Tensors;

namespace ConvNet.Data.Idx;

/// <summary>A folder with the four IDX files of MNIST, Fashion-MNIST or anything in their form.</summary>
public static class IdxFolder
{
    private static readonly string[] FashionClasses =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Reads the folder.</summary>
    /// <param name="name">As the user named it, for messages.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="fashion">Whether the classes are Fashion-MNIST's; otherwise they are the digits, or numbers if there are more.</param>
    /// <exception cref="DataException">A file is missing, damaged or does not fit the others.</exception>
    public static DataSplits Read(string name, string folder, bool fashion)
    {
        CheckThere(folder);
        DataSet training = ReadSplit(folder, "train", fashion, atLeastClasses: 10), test = ReadSplit(folder, "t10k", fashion, training.ClassNames.Count);
        return new DataSplits(name, training, test);
    }

    /// <summary>The names of the four files that <see cref="Read"/> reads: where a file is there gzipped and not, the one that is taken.</summary>
    /// <exception cref="DataException">The folder or a file is missing.</exception>
    public static IReadOnlyList<string> Files(string folder)
    {
        CheckThere(folder);
        string[] files = [Find(folder, "train-images", 3), Find(folder, "train-labels", 1), Find(folder, "t10k-images", 3), Find(folder, "t10k-labels", 1)];
        return [.. files.Select(f => Path.GetFileName(f))];
    }

    private static void CheckThere(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"{folder}: there is no such folder. Give the folder with {Names("train-images", 3)} and its three companions.");
    }

    private static DataSet ReadSplit(string folder, string split, bool fashion, int atLeastClasses)
    {
        string imageFile = Find(folder, $"{split}-images", 3), labelFile = Find(folder, $"{split}-labels", 1);
        IdxBytes images = IdxFile.Read(imageFile, 3), labels = IdxFile.Read(labelFile, 1);
        if (images.Dimensions[0] != labels.Dimensions[0])
            throw new DataException($"{imageFile}: {images.Dimensions[0]} images, but {labelFile} has {labels.Dimensions[0]} labels. Both must be of one data set.");
        int classes = fashion ? 10 : Math.Max(atLeastClasses, labels.Bytes.Max() + 1);
        return new DataSet(
            labelFile, new Shape(1, images.Dimensions[1], images.Dimensions[2]), images.Bytes, labels.Bytes,
            fashion ? FashionClasses : [.. Enumerable.Range(0, classes).Select(c => $"{c}")]);
    }

    private static string Find(string folder, string stem, int dimensions) =>
        Candidates(stem, dimensions).Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists)
        ?? throw new DataException($"{folder}: no {Names(stem, dimensions)} in it.");

    private static string Names(string stem, int dimensions) => string.Join(" or ", Candidates(stem, dimensions).Take(2));

    private static IEnumerable<string> Candidates(string stem, int dimensions) =>
        [$"{stem}-idx{dimensions}-ubyte.gz", $"{stem}-idx{dimensions}-ubyte", $"{stem}.idx{dimensions}-ubyte.gz", $"{stem}.idx{dimensions}-ubyte"];
}
