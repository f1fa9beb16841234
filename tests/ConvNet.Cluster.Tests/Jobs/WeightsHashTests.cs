using ConvNet.Cluster.Jobs;

namespace ConvNet.Cluster.Tests.Jobs;

public sealed class WeightsHashTests
{
    [Fact]
    public void It_is_the_sha_256_of_the_little_endian_bytes()
    {
        // printf '\x00\x00\x80\x3f\x00\x00\x00\xc0' | sha256sum
        Assert.Equal("ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b", WeightsHash.Of([1f, -2f]));
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", WeightsHash.Of([]));
    }
}
