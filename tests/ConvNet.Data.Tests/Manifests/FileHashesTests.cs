using System.Security.Cryptography;
using ConvNet.Data.Manifests;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Manifests;

public sealed class FileHashesTests : IDisposable
{
    private static readonly DateTime LongAgo = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();
    private readonly string _file;

    public FileHashesTests()
    {
        _file = _folder.File("file");
        File.WriteAllText(_file, "abc");
        File.SetLastWriteTimeUtc(_file, LongAgo);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_read_once_even_if_the_process_is_another()
    {
        FileHashes first = new(_folder.Path), second = new(_folder.Path);

        Assert.Equal((3L, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), first.Of(_file));
        Assert.Equal(first.Of(_file), second.Of(_file));

        Assert.Equal((1, 0), (first.Computed, second.Computed));
    }

    [Fact]
    public void A_file_that_changed_is_read_again()
    {
        var hashes = new FileHashes(_folder.Path);
        string before = hashes.Of(_file).Sha256;

        File.WriteAllText(_file, "abd");
        File.SetLastWriteTimeUtc(_file, LongAgo.AddSeconds(1));

        Assert.NotEqual(before, hashes.Of(_file).Sha256);
        Assert.Equal(2, hashes.Computed);
    }

    [Fact]
    public void A_file_that_was_written_just_now_is_not_trusted_to_stay()
    {
        var hashes = new FileHashes(_folder.Path);
        File.SetLastWriteTimeUtc(_file, DateTime.UtcNow);

        hashes.Of(_file);
        hashes.Of(_file);

        Assert.Equal(2, hashes.Computed);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("""{"file":null}""")]
    [InlineData("""{"file":{"Length":3,"Modified":637134336000000000,"Sha256":"../../etc"}}""")]
    public void A_damaged_list_of_hashes_is_made_anew(string content)
    {
        Directory.CreateDirectory(_folder.File(".convnet"));
        File.WriteAllText(_folder.File(".convnet/hashes.json"), content);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("abc"u8)), new FileHashes(_folder.Path).Of(_file).Sha256);

        var after = new FileHashes(_folder.Path);
        after.Of(_file);
        Assert.Equal(0, after.Computed);
    }

    [Fact]
    public void Where_nothing_can_be_written_hashes_are_kept_in_memory()
    {
        File.WriteAllText(_folder.File(".convnet"), "a file where the folder would be");
        var hashes = new FileHashes(_folder.Path);

        hashes.Of(_file);
        hashes.Of(_file);

        Assert.Equal(1, hashes.Computed);
    }

    [Fact]
    public void Two_processes_do_not_forget_what_the_other_found()
    {
        string other = _folder.File("other");
        File.WriteAllText(other, "x");
        File.SetLastWriteTimeUtc(other, LongAgo);
        FileHashes first = new(_folder.Path), second = new(_folder.Path);
        first.Of(_file);
        second.Of(other);
        first.Of(other);

        var third = new FileHashes(_folder.Path);
        third.Of(_file);
        third.Of(other);

        Assert.Equal(0, third.Computed);
    }

    [Fact]
    public void A_missing_file_is_told()
    {
        var error = Assert.Throws<DataException>(() => new FileHashes(_folder.Path).Of(_folder.File("nothing")));

        Assert.Contains("nothing: cannot be read", error.Message, StringComparison.Ordinal);
    }
}
