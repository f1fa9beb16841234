using System.Formats.Tar;
using ConvNet.Dashboard.Tests.Support;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Dashboard.Tests;

public sealed class ModelArchiveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _hash;

    public ModelArchiveTests() => _hash = TestModel.Save(_folder.File("model"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_comes_as_it_was()
    {
        string path = await ModelArchive.ReadAsync(await PackAsync(), _folder.File("new/out"), _hash, default);

        Assert.Equal(_folder.File("new/out/model.safetensors"), path);
        foreach (string file in Directory.GetFiles(_folder.File("model")))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(_folder.File($"new/out/{Path.GetFileName(file)}")));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder.File("new/out")).Length);
    }

    [Fact]
    public async Task A_folder_that_is_there_keeps_its_other_files()
    {
        Directory.CreateDirectory(_folder.File("out"));
        File.WriteAllText(_folder.File("out/notes.txt"), "mine");
        File.WriteAllText(_folder.File("out/model.json"), "old");

        await ModelArchive.ReadAsync(await PackAsync(), _folder.File("out"), _hash, default);

        Assert.Equal("mine", File.ReadAllText(_folder.File("out/notes.txt")));
        Assert.Equal(_hash, ModelFile.Load(_folder.File("out")).WeightsSha256);
    }

    [Fact]
    public async Task Links_and_half_written_files_are_not_sent()
    {
        File.WriteAllText(_folder.File("secret"), "secret");
        File.CreateSymbolicLink(_folder.File("model/link.json"), _folder.File("secret"));
        File.WriteAllText(_folder.File("model/model.json.1.tmp"), "half");

        Assert.Equal(["model.json", "model.safetensors"], Names(await PackAsync()));
    }

    [Theory]
    [InlineData("../evil.json")]
    [InlineData("/tmp/evil.json")]
    [InlineData("a/b.json")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a\\b.json")]
    [InlineData("model.json")]
    public async Task A_name_that_leads_elsewhere_or_comes_twice_is_refused(string name)
    {
        MemoryStream packed = await PackAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream([1, 2, 3]) });

        await RefusedAsync(packed, "expected plain files");
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    public async Task A_link_is_refused(TarEntryType type) =>
        await RefusedAsync(await PackAsync(new PaxTarEntry(type, "link.json") { LinkName = "/etc/passwd" }), "expected plain files");

    [Fact]
    public async Task Other_weights_than_the_jobs_are_refused()
    {
        string message = await RefusedAsync(await PackAsync(), $"hash to {_hash}; the job's are", hash: new string('0', 64));

        Assert.Contains(new string('0', 64), message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_is_cut_anywhere_leaves_nothing()
    {
        byte[] whole = (await PackAsync()).ToArray();
        // The last blocks of a tar are zeros that only say that it ends.
        for (int length = 0; length < whole.Length - 2048; length += whole.Length / 40)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => ModelArchive.ReadAsync(new MemoryStream(whole[..length]), _folder.File("out"), _hash, default));
            Assert.Equal([_folder.File("model")], Directory.GetFileSystemEntries(_folder.Path));
        }
    }

    [Fact]
    public async Task A_damaged_model_is_refused()
    {
        File.WriteAllText(_folder.File("model/model.json"), "{}");

        await RefusedAsync(await PackAsync(), "the model came damaged (model.json: is not the description of a model");
    }

    private async Task<string> RefusedAsync(Stream packed, string expected, string? hash = null)
    {
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => ModelArchive.ReadAsync(packed, _folder.File("out"), hash ?? _hash, default));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.Equal([_folder.File("model")], Directory.GetFileSystemEntries(_folder.Path));
        return refused.Message;
    }

    private async Task<MemoryStream> PackAsync(params TarEntry[] more)
    {
        var stream = new MemoryStream();
        await ModelArchive.WriteAsync(_folder.File("model"), stream, default);
        if (more.Length > 0)
        {
            stream.SetLength(stream.Length - 1024);     // without the two blocks that end it
            stream.Position = stream.Length;
            await using var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true);
            foreach (TarEntry entry in more)
                await tar.WriteEntryAsync(entry);
        }

        stream.Position = 0;
        return stream;
    }

    private static List<string> Names(Stream packed)
    {
        var names = new List<string>();
        using var tar = new TarReader(packed);
        while (tar.GetNextEntry() is { } entry)
            names.Add(entry.Name);
        return names;
    }
}
