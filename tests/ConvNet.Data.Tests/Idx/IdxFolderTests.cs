using System.IO.Compression;
using ConvNet.Core.Tensors;
using ConvNet.Data.Idx;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Idx;

public sealed class IdxFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("-idx3-ubyte", "-idx1-ubyte", false)]
    [InlineData("-idx3-ubyte.gz", "-idx1-ubyte.gz", true)]
    [InlineData(".idx3-ubyte", ".idx1-ubyte", false)]
    [InlineData("-idx3-ubyte", "-idx1-ubyte", true)]
    public void Files_are_read_under_each_of_their_names_gzipped_or_not(string images, string labels, bool zipped)
    {
        foreach (string split in new[] { "train", "t10k" })
        {
            Write($"{split}-images{images}", Images(3, 2, 2), zipped);
            Write($"{split}-labels{labels}", Labels(1, 0, 9), zipped);
        }

        DataSplits data = IdxFolder.Read("x", _folder.Path, fashion: false);

        Assert.Equal(new Shape(1, 2, 2), data.Training.Shape);
        Assert.Equal(3, data.Training.Count);
        Assert.Equal([4, 5, 6, 7], data.Training.Pixels(1).ToArray());
        Assert.Equal(9, data.Test.Label(2));
        Assert.Equal(10, data.Training.ClassNames.Count);
    }

    [Fact]
    public void A_missing_folder_is_told_by_its_name()
    {
        var error = Assert.Throws<DataException>(() => IdxFolder.Read("x", _folder.File("nowhere"), false));

        Assert.Contains("nowhere: there is no such folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told_by_the_names_it_could_have()
    {
        Write("train-images-idx3-ubyte", Images(1, 2, 2));

        var error = Assert.Throws<DataException>(() => IdxFolder.Read("x", _folder.Path, false));

        Assert.Contains("no train-labels-idx1-ubyte.gz or train-labels-idx1-ubyte in it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_and_labels_that_differ_in_count_are_told_with_both_counts()
    {
        Write("train-images-idx3-ubyte", Images(3, 2, 2));
        Write("train-labels-idx1-ubyte", Labels(1, 2));

        var error = Assert.Throws<DataException>(() => IdxFolder.Read("x", _folder.Path, false));

        Assert.Contains("train-images-idx3-ubyte: 3 images, but", error.Message, StringComparison.Ordinal);
        Assert.Contains("has 2 labels", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_without_a_class_is_told_by_its_place()
    {
        Write("train-images-idx3-ubyte", Images(2, 2, 2));
        Write("train-labels-idx1-ubyte", Labels(3, 12));

        var error = Assert.Throws<DataException>(() => IdxFolder.Read("x", _folder.Path, fashion: true));

        Assert.Contains("label 1 is 12; with 10 classes it takes 0 to 9", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[], string> Broken() => new()
    {
        { "empty", [], "an empty file" },
        { "text", "hello world"u8.ToArray(), "found 68656c6c" },
        { "labels", Labels(1, 2), "expected images with 3 dimension(s), found 1. Are images and labels mixed up?" },
        { "cut header", Images(1, 2, 2)[..9], "ends within its header, after 9 of 16 bytes" },
        { "cut values", Images(3, 2, 2)[..20], "is cut off: 3x2x2 values and the header are 28 bytes, found 20" },
        { "trailing", [.. Images(1, 2, 2), 0], "goes on after its end" },
        { "huge", [0, 0, 8, 3, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF], "dimension 1 is 2147483647" },
        { "none", [0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2], "dimension 1 is 0" },
        { "bad gzip", [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], "its gzip compression is damaged" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_broken_file_is_told_by_its_name_and_what_is_wrong(string kind, byte[] bytes, string expected)
    {
        string path = _folder.File($"{kind}.idx");
        File.WriteAllBytes(path, bytes);

        var error = Assert.Throws<DataException>(() => IdxFile.Read(path, 3));

        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cut_off_gzip_file_is_an_error_not_a_shorter_data_set()
    {
        Write("images", Images(1000, 8, 8), zipped: true);
        byte[] whole = File.ReadAllBytes(_folder.File("images"));
        File.WriteAllBytes(_folder.File("images"), whole[..(whole.Length / 2)]);

        Assert.Throws<DataException>(() => IdxFile.Read(_folder.File("images"), 3));
    }

    [SharedDataFact("mnist")]
    public void MNIST_is_read_as_published()
    {
        DataSplits data = IdxFolder.Read("mnist", SharedData.Folder("mnist")!, fashion: false);

        Assert.Equal((60_000, 10_000), (data.Training.Count, data.Test.Count));
        Assert.Equal(new Shape(1, 28, 28), data.Training.Shape);
        Assert.Equal([5, 0, 4, 1, 9], Enumerable.Range(0, 5).Select(data.Training.Label));
        Assert.Equal(0.1307f, data.Normalisation.Mean[0], 0.0001f);
        Assert.Equal(0.3081f, data.Normalisation.Deviation[0], 0.0001f);
    }

    [SharedDataFact("fashion-mnist")]
    public void Fashion_MNIST_has_its_class_names()
    {
        DataSplits data = DataSource.Load($"fashion-mnist:{SharedData.Folder("fashion-mnist")}");

        Assert.Equal("Ankle boot", data.Training.ClassNames[data.Training.Label(0)]);
        Assert.Equal(0.2860f, data.Normalisation.Mean[0], 0.0001f);
    }

    private static byte[] Images(int count, int height, int width) =>
        [0, 0, 8, 3, .. Big(count), .. Big(height), .. Big(width), .. Enumerable.Range(0, count * height * width).Select(i => (byte)i)];

    private static byte[] Labels(params byte[] labels) => [0, 0, 8, 1, .. Big(labels.Length), .. labels];

    private static byte[] Big(int n) => [(byte)(n >> 24), (byte)(n >> 16), (byte)(n >> 8), (byte)n];

    private void Write(string name, byte[] bytes, bool zipped = false)
    {
        using FileStream file = File.Create(_folder.File(name));
        using Stream stream = zipped ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(bytes);
    }
}
