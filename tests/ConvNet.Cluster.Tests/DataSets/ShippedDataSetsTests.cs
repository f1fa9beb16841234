using System.Security.Cryptography;
using System.Text;
using ConvNet.Cluster.DataSets;
using ConvNet.Data;
using ConvNet.Data.Manifests;
using ConvNet.Data.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConvNet.Cluster.Tests.DataSets;

public sealed class ShippedDataSetsTests : IDisposable
{
    private static readonly DataManifest Manifest = new(DataKind.Idx, [new("a", 5, Convert.ToHexStringLower(SHA256.HashData("hello"u8)))]);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_added_is_found_by_any_process()
    {
        var added = await Cache().AddAsync("x", Manifest, Fill("hello"));

        var found = Cache().Find("x", Manifest, default);

        Assert.Equal(added, found);
        Assert.Equal(_folder.File(Manifest.ContentHash), found!.Folder);
        Assert.Equal("hello", File.ReadAllText(found.PathOf(Manifest.Files[0])));
        Assert.Null(Cache().Find("x", DataManifest.Digits, default));
    }

    [Fact]
    public async Task Nothing_is_there_until_all_of_it_is_and_nothing_is_left_of_what_failed()
    {
        await Assert.ThrowsAsync<DataException>(() => Cache().AddAsync("x", Manifest, async part =>
        {
            await Fill("hel")(part);
            Assert.Null(Cache().Find("x", Manifest, default));
            throw new DataException("the source is gone");
        }));

        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task What_a_killed_process_left_is_removed_and_what_another_is_filling_is_not()
    {
        string dead = _folder.File($"{Manifest.ContentHash}.1.part"), alive = _folder.File($"{Manifest.ContentHash}.2.part");
        foreach (string part in (string[])[dead, alive])
        {
            Directory.CreateDirectory(part);
            File.WriteAllText(Path.Combine(part, "a"), "hel");
            File.WriteAllText(part + ".lock", "");
            File.SetLastWriteTimeUtc(part + ".lock", DateTime.UtcNow.AddHours(-1));
        }

        using var held = new FileStream(alive + ".lock", FileMode.Open, FileAccess.Write, FileShare.None);
        await Cache().AddAsync("x", Manifest, Fill("hello"));

        Assert.False(Directory.Exists(dead));
        Assert.False(File.Exists(dead + ".lock"));
        Assert.True(Directory.Exists(alive));
        Assert.NotNull(Cache().Find("x", Manifest, default));
    }

    [Fact]
    public async Task Two_nodes_of_one_machine_may_add_the_same_at_once()
    {
        var done = new TaskCompletionSource();
        int filling = 0;
        async Task FillTogether(string part)
        {
            await Fill("hello")(part);
            if (Interlocked.Increment(ref filling) == 2)
                done.SetResult();
            await done.Task;
        }

        var added = await Task.WhenAll(Cache().AddAsync("x", Manifest, FillTogether), Cache().AddAsync("x", Manifest, FillTogether));

        Assert.Equal(added[0], added[1]);
        Assert.NotNull(Cache().Find("x", Manifest, default));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_folder.Path), e => e.Contains(".part", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("hellO")]
    [InlineData("hell")]
    [InlineData(null)]
    public async Task What_was_damaged_in_the_cache_is_removed_and_not_used(string? content)
    {
        var added = await Cache().AddAsync("x", Manifest, Fill("hello"));
        string file = added.PathOf(Manifest.Files[0]);
        File.Delete(file);
        if (content is not null)
            File.WriteAllText(file, content);

        Assert.Null(Cache().Find("x", Manifest, default));

        Assert.False(Directory.Exists(added.Folder));
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_told()
    {
        File.WriteAllText(_folder.File("file"), "");
        var cache = new ShippedDataSets(_folder.File("file"), NullLogger.Instance);

        var error = await Assert.ThrowsAsync<DataException>(() => cache.AddAsync("x", Manifest, Fill("hello")));

        Assert.Contains("Make room, or choose a --data-dir that this user may write", error.Message, StringComparison.Ordinal);
    }

    private static Func<string, Task> Fill(string content) => part => File.WriteAllTextAsync(Path.Combine(part, "a"), content, Encoding.ASCII);

    private ShippedDataSets Cache() => new(_folder.Path, NullLogger.Instance);
}
