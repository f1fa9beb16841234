using ConvNet.Core.Memory;

namespace ConvNet.Core.Tests.Memory;

public sealed unsafe class AlignedBufferTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(100_000)]
    public void A_new_buffer_is_zeroed_and_starts_at_a_cache_line(int length)
    {
        for (int round = 0; round < 10; round++)
        {
            using var buffer = new AlignedBuffer(length);

            Assert.Equal(length, buffer.Span.Length);
            Assert.Equal(0, (nint)buffer.Pointer % AlignedBuffer.Alignment);
            Assert.False(buffer.Span.ContainsAnyExcept(0f));
            buffer.Span.Fill(1);   // so that memory that is used again is not zero by chance
        }
    }

    [Fact]
    public void A_disposed_buffer_cannot_be_used()
    {
        var buffer = new AlignedBuffer(4);

        buffer.Dispose();
        buffer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => (nint)buffer.Pointer);
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
    }

    [Fact]
    public void A_negative_length_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new AlignedBuffer(-1));
}
