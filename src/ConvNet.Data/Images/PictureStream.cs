namespace ConvNet.Data.Images;

/// <summary>A picture's bytes, of which no reader gets past the end: the decoder looks for the end by its place alone, and would search for ever beyond it in a damaged file.</summary>
internal sealed class PictureStream(byte[] bytes) : MemoryStream(bytes, writable: false)
{
    /// <inheritdoc/>
    public override long Position
    {
        get => base.Position;
        set => base.Position = Math.Clamp(value, 0, Length);
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin)
    {
        long start = origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => Position, _ => Length };
        return Position = start + offset;
    }
}
