using ConvNet.Core.Tensors;
using ConvNet.Data.Images;
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
    [InlineData("train/a/1.png test/a/1.png", "1 folders of pictures; it takes 2 to 65536")]
    [InlineData("train/a/1.png train/b/1.png train/c/readme.txt test/a/1.png", "train/c: no pictures in it")]
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

    [Fact]
    public void Pictures_that_are_too_many_for_the_memory_are_decoded_when_they_are_wanted_to_the_same_bytes()
    {
        for (int i = 0; i < 12; i++)
            Write($"{(i < 8 ? "train" : "test")}/{"ab"[i % 2]}/{i}.png", TestPng.Rgb(3 + i, 4, [.. Enumerable.Range(0, 12 * (3 + i)).Select(p => (byte)(p * i))]));
        IReadOnlyList<string> files = ImageFolder.Files(_folder.Path);

        DataSplits held = ImageFolder.Read("x", _folder.Path, files, 3), read = ImageFolder.Read("x", _folder.Path, files, 3, mostBytesInMemory: 100);

        Assert.True(held.Training.InMemory);
        Assert.False(read.Training.InMemory);
        Assert.Equal(held.Normalisation.Mean, read.Normalisation.Mean);
        Assert.Equal(held.Normalisation.Deviation, read.Normalisation.Deviation);
        foreach ((DataSet one, DataSet other) in new[] { (held.Training, read.Training), (held.Test, read.Test) })
        {
            Assert.Equal(one.Count, other.Count);
            for (int i = 0; i < one.Count; i++)
            {
                var pixels = new byte[one.Shape.Elements];
                other.Read(i, pixels);
                Assert.Equal(one.Pixels(i).ToArray(), pixels);
                Assert.Equal(one.Label(i), other.Label(i));
            }
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1 << 20)]
    public void A_damaged_picture_of_either_split_is_an_error_when_they_are_loaded(int mostBytesInMemory)
    {
        foreach (string file in new[] { "train/a/1.png", "train/b/1.png", "test/a/1.png" })
            Write(file, 2, 2, 1);
        Write("test/b/2.jpg", [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3]);

        var error = Assert.Throws<DataException>(() => ImageFolder.Read("x", _folder.Path, ImageFolder.Files(_folder.Path), 8, mostBytesInMemory: mostBytesInMemory));

        Assert.StartsWith(_folder.File("test/b/2.jpg"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_pictures_can_be_skipped_and_are_named()
    {
        foreach (string file in new[] { "train/a/1.png", "train/b/1.png", "train/b/3.png", "test/a/1.png" })
            Write(file, 2, 2, (byte)file[8]);
        Write("train/b/2.jpg", [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3]);
        Write("test/a/0.png", []);

        DataSplits data = DataSource.Load($"images:2:{_folder.Path}", skipDamaged: true);
        LocatedData located = new DataDirectory(_folder.Path).Locate($"images:2:{_folder.Path}", skipDamaged: true);

        Assert.Equal((3, 1), (data.Training.Count, data.Test.Count));
        Assert.Equal(["train/b/2.jpg", "test/a/0.png"], data.Skipped);
        Assert.Equal(data.Skipped, located.Skipped);
        Assert.Equal(["test/a/1.png", "train/a/1.png", "train/b/1.png", "train/b/3.png"], located.Manifest.Files.Select(f => f.Name));
        Assert.Equal(DataDescription.Of(data).TrainingCount, located.Load().Training.Count);
    }

    [Fact]
    public void A_class_of_which_nothing_is_left_is_an_error()
    {
        foreach (string file in new[] { "train/a/1.png", "train/b/1.png", "test/a/1.png" })
            Write(file, 2, 2, 1);
        Write("train/c/1.jpg", [1, 2, 3]);

        var error = Assert.Throws<DataException>(() => DataSource.Load($"images:2:{_folder.Path}", skipDamaged: true));

        Assert.StartsWith(_folder.File("train/c") + ": all of its pictures are damaged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_pictures_beside_those_of_a_manifest_do_not_matter()
    {
        foreach (string file in new[] { "set/train/a/1.png", "set/train/b/1.png", "set/test/a/1.png" })
            Write(file, 2, 2, 1);
        var directory = new DataDirectory(_folder.Path);
        DataManifest wanted = directory.Locate("images:2:set").Manifest;
        Write("set/train/b/2.png", 2, 2, 9);

        Assert.NotEqual(wanted.ContentHash, directory.Locate("images:2:set").Manifest.ContentHash);
        Assert.Equal(wanted.ContentHash, directory.Find("x", wanted, "set")!.Manifest.ContentHash);
        Assert.Equal(2, directory.Find("x", wanted, "set")!.Load().Training.Count);
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
