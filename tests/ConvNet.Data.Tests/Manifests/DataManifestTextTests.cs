using ConvNet.Core.Tensors;
using ConvNet.Data.Manifests;

namespace ConvNet.Data.Tests.Manifests;

/// <summary>A manifest as a text, which travels by itself where it is long.</summary>
public sealed class DataManifestTextTests
{
    private static readonly string Hash = new('a', 64);

    [Fact]
    public void A_text_that_is_read_back_is_the_same_manifest()
    {
        var manifest = new DataManifest(DataKind.Images, [new("train/ants/ant photos.jpg", 12, Hash), new("test/ü/1.png", 0, Hash)], new Size(8, 16));

        DataManifest read = DataManifest.Parse(manifest.Text());

        Assert.Equal(manifest.ContentHash, read.ContentHash);
        Assert.Equal(manifest.Files, read.Files);
        Assert.Equal(new Size(8, 16), read.ImageSize);
    }

    [Theory]
    [InlineData("")]
    [InlineData("convnet data 1")]
    [InlineData("convnet data 2\nkind mnist\n")]
    [InlineData("convnet data 1\nkind nothing\n")]
    [InlineData("convnet data 1\nkind mnist\nfile x {hash} a\n")]
    [InlineData("convnet data 1\nkind mnist\nfile 1 {hash}\n")]
    [InlineData("convnet data 1\nkind mnist\nfile 1 abc a\n")]
    [InlineData("convnet data 1\nkind images 8x8\nfile 1 {hash} ../a\n")]
    [InlineData("convnet data 1\nkind images 8x8\nfile 1 {hash} a\nfile 1 {hash} a\n")]
    public void A_text_that_is_none_is_refused(string text) =>
        Assert.Throws<DataException>(() => DataManifest.Parse(text.Replace("{hash}", Hash, StringComparison.Ordinal)));
}
