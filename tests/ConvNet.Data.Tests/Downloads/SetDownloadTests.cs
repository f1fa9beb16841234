using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using ConvNet.Data.Downloads;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Downloads;

public sealed class SetDownloadTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];

    private readonly TemporaryFolder _folder = new();
    private readonly FileServer _server = new(), _mirror = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _mirror.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_comes_whole_and_the_second_time_not_at_all()
    {
        _server.Add("a.gz", Content);
        var heard = new Heard();

        FetchedFile first = Assert.Single(await FetchAsync(Set(Content), progress: heard)), second = Assert.Single(await FetchAsync(Set(Content)));

        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
        Assert.Equal(new Uri(_server.Address, "a.gz"), first.From);
        Assert.Null(second.From);
        Assert.Equal(["a.gz from 0"], _server.Requests);
        Assert.Equal(new DownloadProgress("a.gz", 5000, 5000), heard.Last);
        Assert.Equal(["a.gz"], Names());
    }

    [Fact]
    public async Task What_breaks_off_is_gone_on_with_and_not_begun_anew()
    {
        _server.Add("a.gz", Content);
        _server.BreaksOffAfter = 2000;

        await FetchAsync(Set(Content));

        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
        Assert.Equal(["a.gz from 0", "a.gz from 2000", "a.gz from 4000"], _server.Requests);
    }

    [Fact]
    public async Task What_an_earlier_try_left_is_gone_on_with()
    {
        _server.Add("a.gz", Content);
        Leave(Content[..3000]);

        await FetchAsync(Set(Content));

        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
        Assert.Equal(["a.gz from 3000"], _server.Requests);
    }

    [Fact]
    public async Task A_server_that_cannot_go_on_gives_all_of_it()
    {
        _server.Add("a.gz", Content);
        _server.IgnoresRanges = true;
        Leave(Content[..3000]);

        await FetchAsync(Set(Content));

        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
    }

    [Theory]
    [InlineData(3000)]
    [InlineData(5000)]
    [InlineData(6000)]
    public async Task A_wrong_beginning_is_thrown_away(int length)
    {
        _server.Add("a.gz", Content);
        Leave(new byte[length]);

        await FetchAsync(Set(Content));

        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
        Assert.Equal("a.gz from 0", _server.Requests[^1]);
    }

    [Fact]
    public async Task A_damaged_file_of_the_right_name_is_fetched_again()
    {
        _server.Add("a.gz", Content);
        Directory.CreateDirectory(_folder.File("set"));
        File.WriteAllBytes(_folder.File("set/a.gz"), new byte[5000]);

        await FetchAsync(Set(Content));

        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
    }

    [Fact]
    public async Task A_mirror_is_asked_first_and_the_published_address_when_it_has_not_got_it()
    {
        _server.Add("a.gz", Content);

        FetchedFile file = Assert.Single(await FetchAsync(Set(Content), _mirror.Address));

        Assert.Equal(["a.gz from 0"], _mirror.Requests);
        Assert.Equal(new Uri(_server.Address, "a.gz"), file.From);
    }

    [Fact]
    public async Task A_mirror_with_another_file_is_passed_over()
    {
        byte[] other = [.. Content.Reverse()];
        _mirror.Add("a.gz", other);
        _server.Add("a.gz", Content);

        await FetchAsync(Set(Content), _mirror.Address);

        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
        Assert.Equal(["a.gz from 0"], _server.Requests);
    }

    [Theory]
    [InlineData("missing", "answers 404 Not Found")]
    [InlineData("wrong", "its SHA-256 is ")]
    [InlineData("short", "the file there has 4999 bytes, expected 5000")]
    [InlineData("long", "sends more than the 5000 bytes that the file has")]
    [InlineData("closed", "refused")]
    public async Task When_no_address_gives_it_each_is_told_with_its_reason_and_nothing_is_left(string what, string expected)
    {
        if (what is "wrong" or "short" or "long")
            _server.Add("a.gz", what switch { "wrong" => new byte[5000], "short" => Content[..4999], _ => [.. Content, 1] });
        _server.TellsLength = what != "long";
        if (what == "closed")
            _server.Dispose();

        var error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(Set(Content), _mirror.Address));

        Assert.StartsWith("a.gz: could not be fetched.", error.Message, StringComparison.Ordinal);
        Assert.Contains($"  {_mirror.Address}a.gz: answers 404 Not Found", error.Message, StringComparison.Ordinal);
        Assert.Contains($"  {_server.Address}a.gz: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("a.gz", Names());
    }

    [Fact]
    public async Task A_server_that_gives_a_part_and_then_nothing_is_left_but_the_part_is_kept()
    {
        _server.Add("a.gz", Content);
        _server.BreaksOffAfter = 0;
        Leave(Content[..3000]);

        var error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(Set(Content)));

        Assert.Contains("The 3000 bytes that came are kept in", error.Message, StringComparison.Ordinal);
        Assert.Equal(["a.gz.part"], Names());
    }

    [Fact]
    public async Task An_archive_is_unpacked_to_the_files_wanted_and_no_others()
    {
        byte[] archive = Archive(("folder/one.bin", [1, 2, 3]), ("folder/notes.html", [9]), ("../two.txt", [4]));
        _server.Add("a.gz", archive);
        PublishedSet set = Set(archive, new("one.bin", 3), new("two.txt"));

        FetchedFile first = Assert.Single(await FetchAsync(set)), second = Assert.Single(await FetchAsync(set));

        Assert.Equal(["one.bin", "two.txt"], Names());
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_folder.File("set/one.bin")));
        Assert.Equal(["set"], Directory.GetFileSystemEntries(_folder.Path).Select(f => Path.GetFileName(f)));
        Assert.NotNull(first.From);
        Assert.Null(second.From);
    }

    [Theory]
    [InlineData("lacks one", "two.txt is not in it")]
    [InlineData("other length", "one.bin has 3 bytes, expected 4")]
    [InlineData("no archive", "is no archive that can be unpacked")]
    public async Task An_archive_with_other_content_leaves_no_data_files(string what, string expected)
    {
        byte[] archive = what == "no archive" ? Content : Archive(("one.bin", [1, 2, 3]), (what == "lacks one" ? "three.txt" : "two.txt", [4]));
        _server.Add("a.gz", archive);

        var error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(Set(archive, new("one.bin", what == "other length" ? 4 : 3), new("two.txt"))));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(["a.gz.part"], Names());
    }

    [Fact]
    public async Task What_is_stopped_goes_on_the_next_time()
    {
        _server.Add("a.gz", Content);
        _server.BreaksOffAfter = 2000;
        using var stop = new CancellationTokenSource();
        var stopping = new Heard { Then = stop.Cancel };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FetchAsync(Set(Content), progress: stopping, stop: stop.Token));
        _server.BreaksOffAfter = int.MaxValue;
        await FetchAsync(Set(Content));

        Assert.Equal(["a.gz from 0", $"a.gz from {stopping.First!.Value.Bytes}"], _server.Requests);
        Assert.Equal(Content, File.ReadAllBytes(_folder.File("set/a.gz")));
    }

    [SharedDataFact("mnist")]
    public async Task The_checksums_of_MNIST_are_those_of_the_published_files()
    {
        PublishedSet set = PublishedSet.Find("mnist")!;
        foreach (PublishedFile file in set.Files)
            _server.Add(file.Name, File.ReadAllBytes(Path.Combine(SharedData.Folder("mnist")!, file.Name)));

        await FetchAsync(set with { Addresses = [_server.Address] });

        Assert.Equal(60_000, DataSource.Load($"mnist:{_folder.File("set")}").Training.Count);
    }

    private PublishedSet Set(byte[] content, params ArchiveMember[] members) =>
        new("set", [_server.Address], [new PublishedFile("a.gz", content.Length, Convert.ToHexStringLower(SHA256.HashData(content))) { Members = members }]);

    private Task<IReadOnlyList<FetchedFile>> FetchAsync(PublishedSet set, Uri? mirror = null, IProgress<DownloadProgress>? progress = null, CancellationToken stop = default) =>
        SetDownload.RunAsync(set, _folder.File("set"), mirror is null ? [] : [mirror], _client, progress, stop);

    private void Leave(byte[] part)
    {
        Directory.CreateDirectory(_folder.File("set"));
        File.WriteAllBytes(_folder.File("set/a.gz.part"), part);
    }

    private string[] Names() => [.. Directory.GetFileSystemEntries(_folder.File("set")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private static byte[] Archive(params (string Name, byte[] Content)[] entries)
    {
        var bytes = new MemoryStream();
        using (var packed = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(packed))
        {
            foreach ((string name, byte[] content) in entries)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }

        return bytes.ToArray();
    }

    private sealed class Heard : IProgress<DownloadProgress>
    {
        public DownloadProgress? First { get; private set; }

        public DownloadProgress? Last { get; private set; }

        public Action? Then { get; init; }

        public void Report(DownloadProgress value)
        {
            First ??= value;
            Last = value;
            Then?.Invoke();
        }
    }
}
