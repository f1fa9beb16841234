using ConvNet.Core.Tensors;
using ConvNet.Data.Manifests;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Images;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Classes_are_folders_and_pictures_come_in_the_order_of_their_names()
    {
        Write("train/bee/b.png", 2, 2, 20);
        Write("train/bee/a photo.PNG", 2, 2, 10);
        Write("train/ant/z.png", 4, 4, 30);
        Write("val/bee/c.png", 8, 2, 40);
        File.WriteAllText(_folder.File("train/ant/notes.txt"), "no picture");

        DataSplits data = DataSource.Load($"images:2x3:{_folder.Path}");

        Assert.Equal(new Shape(3, 2, 3), data.Training.Shape);
        Assert.Equal(["ant", "bee"], data.Training.ClassNames);
        Assert.Equal([(0, 30), (1, 10), (1, 20)], Enumerable.Range(0, 3).Select(i => (data.Training.Label(i), (int)data.Training.Pixels(i)[0])));
        Assert.Equal((1, 40), (data.Test.Label(0), data.Test.Pixels(0)[5]));
    }

    [Fact]
    public void A_picture_of_another_form_is_cut_about_its_middle_and_not_squeezed()
    {
        // Three columns of red, green, blue: of a square cut only the green one is left.
        byte[] columns = [.. Enumerable.Range(0, 4).SelectMany(_ => Enumerable.Range(0, 12).SelectMany(x => (byte[])[(byte)(x < 4 ? 255 : 0), (byte)(x is >= 4 and < 8 ? 255 : 0), (byte)(x >= 8 ? 255 : 0)]))];
        foreach (string split in new[] { "train/a/1.png", "train/b/1.png", "test/a/1.png" })
            Write(split, TestPng.Rgb(12, 4, columns));

        DataSet data = DataSource.Load($"images:2:{_folder.Path}").Training;

        Assert.Equal([0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0], data.Pixels(0).ToArray());
    }

    [Theory]
    [InlineData("", "expected the folders train and test (or val) in it")]
    [InlineData("train/a/1.png test/b/1.png train/c/1.png", "test/b: there is no such class among those to learn from: a, c")]
    [InlineData("train/a/1.png test/a/1.png", "1 folders of pictures; it takes 2 to 256")]
    [InlineData("train/a/1.png train/b/bad.jpg train/b/worse.jpg test/a/1.png", "train/b/bad.jpg: is no picture that can be read, or is damaged")]
    public void A_folder_of_another_form_is_told(string files, string expected)
    {
        foreach (string file in files.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (file.EndsWith("jpg", StringComparison.Ordinal))
                Write(file, [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3]);
            else
                Write(file, 2, 2, 1);
        }

        var error = Assert.Throws<DataException>(() => DataSource.Load($"images:2:{_folder.Path}"));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("images:DIR")]
    [InlineData("images")]
    [InlineData("images:0:DIR")]
    [InlineData("images:5000:DIR")]
    [InlineData("images:2x3x4:DIR")]
    [InlineData("images:224:")]
    public void A_name_without_size_or_folder_is_told_with_an_example(string name) =>
        Assert.Contains("such as images:224:data/pictures", Assert.Throws<DataException>(() => DataSource.Load(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_same_files_at_another_size_are_other_data()
    {
        foreach (string file in new[] { "train/a/1.png", "train/b/1.png", "test/a/1.png" })
            Write(file, 2, 2, 1);
        var directory = new DataDirectory(_folder.Path);

        LocatedData small = directory.Locate($"images:2:{_folder.Path}"), large = directory.Locate($"images:4:{_folder.Path}");

        Assert.Equal(["test/a/1.png", "train/a/1.png", "train/b/1.png"], small.Manifest.Files.Select(f => f.Name));
        Assert.NotEqual(small.Manifest.ContentHash, large.Manifest.ContentHash);
        Assert.Equal((DataKind.Images, new Size(4, 4)), DataName.ParseFormat(large.Manifest.Format));
        Assert.Equal(4, large.Load().Training.Shape.Height);
    }

    [SharedDataFact("images-hymenoptera")]
    public void Real_pictures_of_all_sizes_are_read()
    {
        DataSplits data = DataSource.Load($"images:64:{SharedData.Folder("images-hymenoptera")}");

        Assert.Equal((40, 20, 3), (data.Training.Count, data.Test.Count, data.Training.Shape.Channels));
        Assert.Equal(["ants", "bees"], data.Training.ClassNames);
        Assert.All(Enumerable.Range(0, 40), i => Assert.True(data.Training.Pixels(i).ToArray().Distinct().Count() > 4));
    }

    private void Write(string file, int width, int height, byte value) => Write(file, TestPng.Rgb(width, height, [.. Enumerable.Repeat(value, 3 * width * height)]));

    private void Write(string file, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
        File.WriteAllBytes(_folder.File(file), content);
    }
}
