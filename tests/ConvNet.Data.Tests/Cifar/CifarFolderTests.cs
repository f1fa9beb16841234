using System.IO.Compression;
using ConvNet.Core.Tensors;
using ConvNet.Data.Manifests;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Cifar;

public sealed class CifarFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ten_classes_come_from_six_files_in_their_order_gzipped_or_not(bool zipped)
    {
        for (int batch = 1; batch <= 5; batch++)
            Write($"data_batch_{batch}.bin", zipped, Image([(byte)batch], (byte)(10 * batch)), Image([0], 1));
        Write("test_batch.bin", zipped, Image([9], 7));

        DataSplits data = DataSource.Load($"cifar10:{_folder.Path}");

        Assert.Equal(new Shape(3, 32, 32), data.Training.Shape);
        Assert.Equal([1, 0, 2, 0, 3, 0, 4, 0, 5, 0], Enumerable.Range(0, data.Training.Count).Select(data.Training.Label));
        Assert.Equal(30, data.Training.Pixels(4)[0]);
        Assert.Equal(33, data.Training.Pixels(4)[3071]);
        Assert.Equal("truck", data.Test.ClassNames[data.Test.Label(0)]);
    }

    [Fact]
    public void The_fifth_file_can_be_what_is_measured_on()
    {
        for (int batch = 1; batch <= 5; batch++)
            Write($"data_batch_{batch}.bin", false, Image([(byte)batch], 1));

        DataSplits data = DataSource.Load($"cifar10-validation:{_folder.Path}");

        Assert.Equal(4, data.Training.Count);
        Assert.Equal(5, data.Test.Label(0));
        Assert.Contains("cifar10-validation:DIR", Assert.Throws<DataException>(() => DataSource.Load($"cifar10:{_folder.Path}")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_hundred_classes_the_fine_label_is_taken()
    {
        Write("train.bin", true, Image([3, 99], 1));
        Write("test.bin", false, Image([19, 0], 1));

        DataSplits data = DataSource.Load($"cifar100:{_folder.Path}");

        Assert.Equal(100, data.Training.ClassNames.Count);
        Assert.Equal((99, 0), (data.Training.Label(0), data.Test.Label(0)));
    }

    [Fact]
    public void A_manifest_has_the_files_that_are_read_and_the_way_of_reading()
    {
        for (int batch = 1; batch <= 5; batch++)
            Write($"data_batch_{batch}.bin", false, Image([(byte)batch], 1));
        Write("test_batch.bin", false, Image([9], 7));
        var directory = new DataDirectory(_folder.Path);

        DataManifest whole = directory.Locate($"cifar10:{_folder.Path}").Manifest, part = directory.Locate($"cifar10-validation:{_folder.Path}").Manifest;

        Assert.Equal(6, whole.Files.Count);
        Assert.Equal(5, part.Files.Count);
        Assert.NotEqual(whole.ContentHash, part.ContentHash);
    }

    [Theory]
    [InlineData("cut off", "3072 bytes are not a whole number of images of 3073 bytes")]
    [InlineData("empty", "0 bytes are not a whole number")]
    [InlineData("label", "image 1 is labelled 10; with 10 classes it takes 0 to 9")]
    [InlineData("gzip", "gzip compression is damaged")]
    public void A_damaged_file_is_named_with_what_is_wrong(string damage, string expected)
    {
        for (int batch = 1; batch <= 5; batch++)
            Write($"data_batch_{batch}.bin", false, Image([1], 1));
        byte[] bad = damage switch
        {
            "cut off" => Image([1], 1)[..^1],
            "empty" => [],
            "label" => [.. Image([1], 1), .. Image([10], 1)],
            _ => [0x1F, 0x8B, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        };
        File.WriteAllBytes(_folder.File("data_batch_3.bin"), bad);

        var error = Assert.Throws<DataException>(() => DataSource.Load($"cifar10-validation:{_folder.Path}"));

        Assert.StartsWith(_folder.File("data_batch_3.bin"), error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [SharedDataFact("cifar-10")]
    public void The_real_files_have_ten_thousand_images_each()
    {
        DataSplits data = DataSource.Load($"cifar10-validation:{SharedData.Folder("cifar-10")}");

        Assert.Equal((40_000, 10_000), (data.Training.Count, data.Test.Count));
        Assert.Equal("frog", data.Training.ClassNames[data.Training.Label(0)]);
        Assert.Equal(0.4914f, data.Normalisation.Mean[0], 0.002f);   // as published for all 50 000
        Assert.Equal(0.2470f, data.Normalisation.Deviation[0], 0.002f);
    }

    private static byte[] Image(byte[] labels, byte first) => [.. labels, .. Enumerable.Range(0, 3072).Select(i => (byte)(first + (i / 1024) + (i == 3071 ? 1 : 0)))];

    private void Write(string name, bool zipped, params byte[][] images)
    {
        using Stream file = File.Create(_folder.File(zipped ? $"{name}.gz" : name));
        using Stream to = zipped ? new GZipStream(file, CompressionLevel.Fastest) : file;
        foreach (byte[] image in images)
            to.Write(image);
    }
}
