using ConvNet.Core.Tensors;
using ConvNet.Data.Files;

namespace ConvNet.Data.Cifar;

/// <summary>A folder with CIFAR-10 or CIFAR-100 in its binary form, gzipped or not: 32×32 colour images.</summary>
/// <remarks>
/// An image is its label, one byte, in CIFAR-100 two of which the second is taken (the fine one), and 3072 bytes: red, green, blue, each row by row.
/// Krizhevsky 2009, "Learning multiple layers of features from tiny images", and the data set's page.
/// </remarks>
public static class CifarFolder
{
    private const int Side = 32, Pixels = 3 * Side * Side, MostBytes = 1 << 29;

    private static readonly string[] TenClasses = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Reads the folder.</summary>
    /// <param name="name">As the user named it, for messages.</param>
    /// <param name="kind">Which of the CIFAR kinds.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DataException">A file is missing or damaged.</exception>
    public static DataSplits Read(string name, DataKind kind, string folder)
    {
        (string[] training, string[] test) = Find(kind, folder);
        string[] classes = kind == DataKind.Cifar100 ? [.. Enumerable.Range(0, 100).Select(c => $"{c}")] : TenClasses;
        return new DataSplits(name, Read(folder, training, kind, classes), Read(folder, test, kind, classes));
    }

    /// <summary>The names of the files that <see cref="Read(string, DataKind, string)"/> reads.</summary>
    /// <exception cref="DataException">The folder or a file is missing.</exception>
    public static IReadOnlyList<string> Files(DataKind kind, string folder)
    {
        (string[] training, string[] test) = Find(kind, folder);
        return [.. training, .. test];
    }

    private static (string[] Training, string[] Test) Find(DataKind kind, string folder)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"{folder}: there is no such folder. Give the folder with {(kind == DataKind.Cifar100 ? "train.bin and test.bin" : "data_batch_1.bin and its companions")}.");
        (string[] training, string[] test) = kind switch
        {
            DataKind.Cifar100 => (new[] { "train" }, new[] { "test" }),
            DataKind.Cifar10Validation => ([.. Enumerable.Range(1, 4).Select(i => $"data_batch_{i}")], ["data_batch_5"]),
            _ => ([.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}")], ["test_batch"]),
        };
        return ([.. training.Select(File)], [.. test.Select(File)]);

        string File(string stem) => new[] { $"{stem}.bin", $"{stem}.bin.gz" }.FirstOrDefault(f => System.IO.File.Exists(Path.Combine(folder, f)))
            ?? throw new DataException($"{folder}: no {stem}.bin or {stem}.bin.gz in it.{(stem == "test_batch" ? " Without the test images, cifar10-validation:DIR trains on the first four batches and tests on the fifth." : "")}");
    }

    private static DataSet Read(string folder, string[] files, DataKind kind, string[] classes)
    {
        int labelBytes = kind == DataKind.Cifar100 ? 2 : 1, record = labelBytes + Pixels;
        byte[][] contents = [.. files.Select(f => ReadFile(Path.Combine(folder, f), record, labelBytes, classes.Length))];
        int count = contents.Sum(c => c.Length / record);
        byte[] pixels = new byte[count * Pixels], labels = new byte[count];
        int at = 0;
        foreach (byte[] content in contents)
        {
            for (int start = 0; start < content.Length; start += record, at++)
            {
                labels[at] = content[start + labelBytes - 1];
                content.AsSpan(start + labelBytes, Pixels).CopyTo(pixels.AsSpan(at * Pixels));
            }
        }

        return new DataSet(Path.Combine(folder, files[0]), new Shape(3, Side, Side), pixels, labels, classes);
    }

    private static byte[] ReadFile(string path, int record, int labelBytes, int classes)
    {
        byte[] content = PackedFile.Read(path, MostBytes);
        if (content.Length == 0 || content.Length % record != 0)
            throw new DataException($"{path}: {content.Length} bytes are not a whole number of images of {record} bytes. Get the file again; it takes the binary version, not Python's or Matlab's.");
        for (int start = 0; start < content.Length; start += record)
        {
            if (content[start + labelBytes - 1] >= classes)
                throw new DataException($"{path}: image {start / record} is labelled {content[start + labelBytes - 1]}; with {classes} classes it takes 0 to {classes - 1}. Is it another data set's file?");
        }

        return content;
    }
}
