using ConvNet.Core.Kernels.Products;

namespace ConvNet.Core.Tests.Kernels.Products;

public sealed class SumBlocksTests
{
    [Theory]
    [InlineData(1, 256)]     // 256 terms
    [InlineData(4, 64)]      // 256
    [InlineData(9, 16)]      // 144
    [InlineData(16, 16)]     // 256
    [InlineData(25, 16)]     // 400
    [InlineData(121, 16)]    // 1936
    public void A_block_is_a_multiple_of_sixteen_channels_and_at_least_that(int taps, int channels) =>
        Assert.Equal(channels, SumBlocks.Channels(taps));
}
