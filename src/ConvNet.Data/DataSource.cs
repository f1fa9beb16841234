using ConvNet.Core.Tensors;
using ConvNet.Data.Cifar;
using ConvNet.Data.Digits;
using ConvNet.Data.Idx;
using ConvNet.Data.Images;
using ConvNet.Data.Manifests;

namespace ConvNet.Data;

/// <summary>What a job's <c>data</c> names: the built-in digits, or a folder of files in a published format.</summary>
public static class DataSource
{
    /// <summary>The forms that a name can have, with a line for people on each.</summary>
    public static IReadOnlyList<(string Form, string Summary)> Forms { get; } =
    [
        ("digits", "28×28 digits, drawn by a program; built in"),
        ("mnist:DIR", "MNIST's four IDX files, gzipped or not"),
        ("fashion-mnist:DIR", "Fashion-MNIST's four IDX files, gzipped or not"),
        ("cifar10:DIR", "CIFAR-10's six binary files, gzipped or not"),
        ("cifar10-validation:DIR", "CIFAR-10's first four training files, tested on the fifth"),
        ("cifar100:DIR", "CIFAR-100's two binary files, gzipped or not"),
        ("images:SIZE:DIR", "pictures in train/CLASS and test/CLASS, made SIZE pixels, such as 224 or 128x192"),
        ("DIR", "any folder with four such IDX files"),
    ];

    /// <summary>Loads a data set.</summary>
    /// <param name="name">One of <see cref="Forms"/>.</param>
    /// <param name="skipDamaged">Whether damaged pictures are left out; otherwise one is an error.</param>
    /// <param name="known">Mean and deviation of its training images, where they are known; taken where working them out would mean decoding all pictures only for that.</param>
    /// <exception cref="DataException">The name is of no known form, or the files are missing or damaged.</exception>
    public static DataSplits Load(string name, bool skipDamaged = false, Normalisation? known = null)
    {
        DataName parsed = DataName.Parse(name);
        if (parsed.Kind == DataKind.Idx && !Directory.Exists(parsed.Folder))
            throw new DataException($"data '{name}': there is no such folder, and no data set of that name. It takes {string.Join(", ", Forms.Select(f => f.Form))}.");
        if (parsed.Kind != DataKind.Images)
            return Load(name, parsed.Kind, parsed.Folder);
        IReadOnlyList<string> files = ImageFolder.Files(parsed.Folder), damaged = [];
        if (skipDamaged)
            (files, damaged) = ImageFolder.Sift(parsed.Folder, files);
        return ImageFolder.Read(name, parsed.Folder, files, parsed.ImageSize, known) with { Skipped = damaged };
    }

    /// <summary>Loads a data set from where it has been found.</summary>
    /// <param name="data">Where, and what it consists of.</param>
    /// <param name="known">Mean and deviation of its training images, where another machine has worked them out; taken where that would mean decoding all pictures only for them.</param>
    /// <exception cref="DataException">The files are missing or damaged.</exception>
    internal static DataSplits Load(LocatedData data, Normalisation? known) => data.Manifest.Kind == DataKind.Images
        ? ImageFolder.Read(data.Name, data.Folder, data.Manifest.Files.Select(f => f.Name), data.Manifest.ImageSize, known) with { Skipped = data.Skipped }
        : Load(data.Name, data.Manifest.Kind, data.Folder);

    /// <summary>The names of the files in a folder that are read.</summary>
    /// <param name="kind">How they are read; not the built-in digits.</param>
    /// <param name="folder">Where they are.</param>
    /// <exception cref="DataException">The folder or a file is missing.</exception>
    public static IReadOnlyList<string> Files(DataKind kind, string folder) => kind switch
    {
        DataKind.Cifar10 or DataKind.Cifar10Validation or DataKind.Cifar100 => CifarFolder.Files(kind, folder),
        DataKind.Images => ImageFolder.Files(folder),
        _ => IdxFolder.Files(folder),
    };

    private static DataSplits Load(string name, DataKind kind, string folder) => kind switch
    {
        DataKind.Digits => Digits(),
        DataKind.Cifar10 or DataKind.Cifar10Validation or DataKind.Cifar100 => CifarFolder.Read(name, kind, folder),
        _ => IdxFolder.Read(name, folder, fashion: kind == DataKind.FashionMnist),
    };

    private static DataSplits Digits()
    {
        var shape = new Shape(1, DigitSet.Side, DigitSet.Side);
        string[] classes = [.. Enumerable.Range(0, 10).Select(digit => $"{digit}")];
        (byte[] pixels, byte[] labels) = DigitSet.Draw(DigitSplit.Training, DigitSet.TrainingCount, Environment.ProcessorCount);
        (byte[] testPixels, byte[] testLabels) = DigitSet.Draw(DigitSplit.Test, DigitSet.TestCount, Environment.ProcessorCount);
        return new DataSplits("digits", new DataSet("digits", shape, pixels, labels, classes), new DataSet("digits (test)", shape, testPixels, testLabels, classes));
    }
}
