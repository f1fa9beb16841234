using ConvNet.Data.Manifests;

namespace ConvNet.Data.Tests.Manifests;

public sealed class DataManifestTests
{
    private static readonly string One = new('1', 64), Two = new('2', 64);

    [Fact]
    public void The_content_hash_is_for_ever()
    {
        Assert.Equal("3c118f1e065188c0b10debc2514eeff069e976ef4165701b087a8b5df6e7d479", DataManifest.Digits.ContentHash);
        Assert.Equal("2edec0b2733c6ffa31ad7af4292c705b280360a6bc6a6209b7a3a3c765f7a6e8", new DataManifest(DataKind.Mnist, [new("b", 2, Two), new("a", 1, One)]).ContentHash);
    }

    [Fact]
    public void The_order_in_which_files_are_given_does_not_matter()
    {
        DataFile a = new("a", 1, One), b = new("b/c", 2, Two);

        Assert.Equal(new DataManifest(DataKind.Idx, [a, b]).ContentHash, new DataManifest(DataKind.Idx, [b, a]).ContentHash);
    }

    [Fact]
    public void Anything_else_matters()
    {
        DataManifest[] all =
        [
            new(DataKind.Idx, [new("a", 1, One)]),
            new(DataKind.Mnist, [new("a", 1, One)]),
            new(DataKind.Idx, [new("b", 1, One)]),
            new(DataKind.Idx, [new("a", 2, One)]),
            new(DataKind.Idx, [new("a", 1, Two)]),
            new(DataKind.Idx, [new("a", 1, One), new("b", 1, One)]),
            new(DataKind.Idx, []),
            DataManifest.Digits,
        ];

        Assert.Distinct(all.Select(m => m.ContentHash));
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    [InlineData("a//b")]
    [InlineData("a/.")]
    [InlineData("a\\b")]
    [InlineData("C:a")]
    [InlineData("a\nfile 1 b")]
    [InlineData("")]
    [InlineData(null)]
    public void A_name_that_could_lead_out_of_the_folder_is_refused(string? name)
    {
        var error = Assert.Throws<DataException>(() => new DataManifest(DataKind.Idx, [new(name!, 1, One)]));

        Assert.Contains("is no file name within a folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lengths_and_hashes_that_cannot_be_are_refused()
    {
        Assert.Throws<DataException>(() => new DataManifest(DataKind.Idx, [new("a", -1, One)]));
        Assert.Throws<DataException>(() => new DataManifest(DataKind.Idx, [new("a", 1, "../..")]));
        Assert.Throws<DataException>(() => new DataManifest(DataKind.Idx, [new("a", 1, null!)]));
        Assert.Throws<DataException>(() => new DataManifest(DataKind.Idx, [new("a", 1, One), new("a", 2, One)]));
        Assert.Throws<DataException>(() => new DataManifest(DataKind.Digits, [new("a", 1, One)]));
        Assert.Throws<DataException>(() => new DataManifest(DataKind.Idx, Enumerable.Range(0, 1001).Select(i => new DataFile($"{i}", 1, One))));
    }
}
