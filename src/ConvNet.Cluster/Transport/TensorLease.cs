using ConvNet.Core.Memory;

namespace ConvNet.Cluster.Transport;

/// <summary>A hold on a range of floats outside the garbage-collected heap. Dispose it to give it back.</summary>
/// <remarks>
/// Several leases may lie over one buffer; when the last is disposed the buffer returns to its pool. Who holds leases over one range
/// agree who may write: a contribution is <em>given</em> (after the send it belongs to the receiver), published weights are <em>shown</em>
/// (nobody writes while anybody holds them).
/// </remarks>
public sealed unsafe class TensorLease : IDisposable
{
    private readonly Shared? _shared;
    private readonly int _offset;
    private int _disposed;

    private TensorLease(Shared? shared, int offset, int length) => (_shared, _offset, Length) = (shared, offset, length);

    /// <summary>No floats: what a frame without values carries. Disposing it does nothing.</summary>
    public static TensorLease Empty { get; } = new(null, 0, 0);

    /// <summary>Floats held.</summary>
    public int Length { get; }

    /// <summary>The floats.</summary>
    /// <exception cref="ObjectDisposedException">The lease was given back.</exception>
    public Span<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return _shared is null ? [] : new(_shared.Buffer.Pointer + _offset, Length);
        }
    }

    /// <summary>A lease over a fresh, zeroed buffer that belongs to no pool.</summary>
    public static TensorLease Allocate(int length) => Over(new AlignedBuffer(length), pool: null);

    /// <summary>A further lease over a part of this one's floats.</summary>
    public TensorLease Slice(int offset, int length)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, {offset + (long)length}) is not within {Length} floats.");
        if (_shared is null)
            return Empty;
        _shared.Retain();
        return new(_shared, _offset + offset, length);
    }

    /// <summary>A further lease over the same floats.</summary>
    public TensorLease Share() => Slice(0, Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_shared is not null && Interlocked.Exchange(ref _disposed, 1) == 0)
            _shared.Release();
    }

    internal static TensorLease Over(AlignedBuffer buffer, TensorPool? pool) => new(new Shared(buffer, pool), 0, buffer.Length);

    private sealed class Shared(AlignedBuffer buffer, TensorPool? pool)
    {
        private int _holders = 1;

        public AlignedBuffer Buffer => buffer;

        public void Retain() => Interlocked.Increment(ref _holders);

        public void Release()
        {
            if (Interlocked.Decrement(ref _holders) > 0)
                return;
            if (pool is null)
                buffer.Dispose();
            else
                pool.Return(buffer);
        }
    }
}
