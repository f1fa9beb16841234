namespace ConvNet.Data.Downloads;

/// <summary>A file that is published for all to get.</summary>
/// <param name="Name">Its name, at every address.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Of its bytes: 64 hexadecimal digits, lower case.</param>
public sealed record PublishedFile(string Name, long Length, string Sha256)
{
    /// <summary>What is taken out of it, if it is a <c>.tar.gz</c> archive; empty for a file that is kept as it is.</summary>
    public IReadOnlyList<ArchiveMember> Members { get; init; } = [];
}

/// <summary>A file in an archive.</summary>
/// <param name="Name">Its name, whatever folder it is in there.</param>
/// <param name="Length">Bytes; null where any number will do.</param>
public sealed record ArchiveMember(string Name, long? Length = null);

/// <summary>A data set with its published addresses.</summary>
/// <param name="Name">As it is named on the command line, and in a job's <c>data</c>.</param>
/// <param name="Addresses">Where each file is, under its name; the first is its authors' own.</param>
/// <param name="Files">Its files.</param>
public sealed record PublishedSet(string Name, IReadOnlyList<Uri> Addresses, IReadOnlyList<PublishedFile> Files)
{
    private const long CifarFile = 10_000 * 3073;

    /// <summary>All that are known.</summary>
    /// <remarks>
    /// MNIST: LeCun, Cortes, Burges; its page often refuses, the two mirrors are PyTorch's and Google's. Fashion-MNIST: Xiao, Rasul, Vollgraf 2017.
    /// CIFAR-10 and CIFAR-100: Krizhevsky 2009. Lengths and checksums are of the published files.
    /// </remarks>
    public static IReadOnlyList<PublishedSet> All { get; } =
    [
        new(
            "mnist",
            [new("http://yann.lecun.com/exdb/mnist/"), new("https://ossci-datasets.s3.amazonaws.com/mnist/"), new("https://storage.googleapis.com/cvdf-datasets/mnist/")],
            [
                new("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                new("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                new("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                new("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            ]),
        new(
            "fashion-mnist",
            [new("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")],
            [
                new("train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                new("train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                new("t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                new("t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
            ]),
        new(
            "cifar10",
            [new("https://www.cs.toronto.edu/~kriz/")],
            [
                new("cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
                {
                    Members = [.. Enumerable.Range(1, 5).Select(i => new ArchiveMember($"data_batch_{i}.bin", CifarFile)), new("test_batch.bin", CifarFile), new("batches.meta.txt")],
                },
            ]),
        new(
            "cifar100",
            [new("https://www.cs.toronto.edu/~kriz/")],
            [
                new("cifar-100-binary.tar.gz", 168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec")
                {
                    Members = [new("train.bin", 50_000 * 3074), new("test.bin", 10_000 * 3074), new("fine_label_names.txt"), new("coarse_label_names.txt")],
                },
            ]),
    ];

    /// <summary>The one of a name, or null.</summary>
    public static PublishedSet? Find(string name) => All.FirstOrDefault(s => s.Name == name);
}
