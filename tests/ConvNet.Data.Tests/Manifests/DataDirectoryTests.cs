using System.IO.Compression;
using ConvNet.Data.Manifests;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Manifests;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_data_set_is_found_by_its_name_relative_to_the_directory_or_by_its_whole_path()
    {
        string small = SmallSet.Write(_folder.File("sets/small"));

        LocatedData relative = Data().Locate("mnist:sets/small"), whole = Data().Locate($"mnist:{small}");

        Assert.Equal(DataKind.Mnist, relative.Manifest.Kind);
        Assert.Equal(
            ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
            relative.Manifest.Files.Select(f => f.Name));
        Assert.Equal(16 + (30 * 784), relative.Manifest.Files[2].Length);
        Assert.Equal("sets/small", relative.Within);
        Assert.Equal(relative.Manifest.ContentHash, whole.Manifest.ContentHash);
        Assert.Equal(relative.Within, whole.Within);
        Assert.Equal(30, relative.Load().Training.Count);
    }

    [Fact]
    public void The_built_in_digits_are_everywhere()
    {
        LocatedData digits = new DataDirectory(_folder.File("missing")).Locate("digits");

        Assert.Same(DataManifest.Digits, digits.Manifest);
    }

    [Fact]
    public void A_changed_byte_makes_it_another_data_set()
    {
        string file = Path.Combine(SmallSet.Write(_folder.File("small")), "train-images-idx3-ubyte");
        DataDirectory data = Data();
        string before = data.Locate("small").Manifest.ContentHash;

        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);

        Assert.NotEqual(before, data.Locate("small").Manifest.ContentHash);
    }

    [Fact]
    public void A_renamed_file_makes_it_another_data_set()
    {
        string folder = SmallSet.Write(_folder.File("small"));
        string before = Data().Locate("small").Manifest.ContentHash;

        File.Move(Path.Combine(folder, "train-images-idx3-ubyte"), Path.Combine(folder, "train-images.idx3-ubyte"));

        Assert.NotEqual(before, Data().Locate("small").Manifest.ContentHash);
    }

    [Fact]
    public void Gzipped_files_are_another_data_set_with_the_same_images()
    {
        SmallSet.Write(_folder.File("raw"));
        SmallSet.Write(_folder.File("gz"), zipped: true);

        LocatedData raw = Data().Locate("raw"), zipped = Data().Locate("gz");

        Assert.NotEqual(raw.Manifest.ContentHash, zipped.Manifest.ContentHash);
        Assert.Null(DataDescription.Of(raw.Load()).DifferenceFrom(DataDescription.Of(zipped.Load())));
    }

    [Fact]
    public void Where_a_file_is_there_gzipped_and_not_the_manifest_has_the_one_that_is_read()
    {
        string folder = SmallSet.Write(_folder.File("small"));
        string image = Path.Combine(folder, "train-images-idx3-ubyte");
        using (var zip = new GZipStream(File.Create(image + ".gz"), CompressionLevel.Fastest))
            zip.Write(File.ReadAllBytes(image));
        File.WriteAllText(image, "not what is read");

        LocatedData located = Data().Locate("small");

        Assert.Contains("train-images-idx3-ubyte.gz", located.Manifest.Files.Select(f => f.Name));
        Assert.Equal(4, located.Manifest.Files.Count);
        Assert.Equal(30, located.Load().Training.Count);
    }

    [Fact]
    public void A_missing_folder_or_file_is_told_with_what_to_do()
    {
        File.Delete(Path.Combine(SmallSet.Write(_folder.File("small")), "t10k-labels-idx1-ubyte"));

        var folder = Assert.Throws<DataException>(() => Data().Locate("mnist:nowhere"));
        var file = Assert.Throws<DataException>(() => Data().Locate("mnist:small"));

        Assert.Equal($"data: mnist:nowhere: there is no folder nowhere in the data directory {_folder.Path}. Put it there, or choose another --data-dir.", folder.Message);
        Assert.Contains("no t10k-labels-idx1-ubyte.gz or t10k-labels-idx1-ubyte in it", file.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mnist:../outside")]
    [InlineData("../outside")]
    [InlineData("mnist:in/../../outside")]
    [InlineData("mnist:/")]
    [InlineData("mnist:OUTSIDE")]       // its whole path
    [InlineData("mnist:in/link")]       // a symbolic link to it
    [InlineData("mnist:in/link/../outside")]
    [InlineData("mnist:files")]         // a folder whose files are links to it
    public void What_is_outside_of_the_directory_is_not_found(string name)
    {
        string outside = SmallSet.Write(_folder.File("outside")), inside = _folder.File("data");
        Directory.CreateDirectory(Path.Combine(inside, "in"));
        Directory.CreateDirectory(Path.Combine(inside, "files"));
        Directory.CreateSymbolicLink(Path.Combine(inside, "in", "link"), outside);
        foreach (string file in Directory.GetFiles(outside))
            File.CreateSymbolicLink(Path.Combine(inside, "files", Path.GetFileName(file)), file);

        var error = Assert.Throws<DataException>(() => new DataDirectory(inside).Locate(name.Replace("OUTSIDE", outside, StringComparison.Ordinal)));

        if (name != "mnist:in/link/../outside")     // which is data/in/outside, and that is nowhere
            Assert.Contains($"is not in the data directory {inside}. Put it there, or choose another --data-dir.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_with_a_name_that_begins_alike_is_outside()
    {
        SmallSet.Write(_folder.File("data-other"));
        Directory.CreateDirectory(_folder.File("data"));

        Assert.Throws<DataException>(() => new DataDirectory(_folder.File("data")).Locate($"mnist:{_folder.File("data-other")}"));
    }

    [Fact]
    public void Links_within_the_directory_and_to_the_directory_are_followed()
    {
        SmallSet.Write(_folder.File("real/small"));
        Directory.CreateSymbolicLink(_folder.File("data"), "real");
        Directory.CreateSymbolicLink(_folder.File("real/latest"), "small");
        var data = new DataDirectory(_folder.File("data"));

        Assert.Equal("small", data.Locate("latest").Within);
        Assert.Equal("small", data.Locate(_folder.File("data/small")).Within);
    }

    [Fact]
    public void Links_in_a_circle_are_told()
    {
        Directory.CreateSymbolicLink(_folder.File("a"), "b");
        Directory.CreateSymbolicLink(_folder.File("b"), "a");

        var error = Assert.Throws<DataException>(() => Data().Locate("a"));

        Assert.Contains("too many symbolic links", error.Message, StringComparison.Ordinal);
    }

    private DataDirectory Data() => new(_folder.Path);
}
