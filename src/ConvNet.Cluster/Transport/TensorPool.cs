using ConvNet.Core.Memory;

namespace ConvNet.Cluster.Transport;

/// <summary>Buffers of one length, used again and again; the last one returned is the first one rented, while it is still in the cache.</summary>
/// <remarks>Leases may outlive the pool: what comes back after <see cref="Dispose"/> is freed at once.</remarks>
/// <param name="length">Floats of each buffer.</param>
/// <param name="returned">Called whenever a buffer has come back, on whatever thread gave it back.</param>
public sealed class TensorPool(int length, Action? returned = null) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<AlignedBuffer> _idle = [];
    private bool _closed;
    private int _rented;

    /// <summary>Floats of each buffer.</summary>
    public int Length => length;

    /// <summary>Buffers that are out now.</summary>
    public int Rented => Volatile.Read(ref _rented);

    /// <summary>A lease over a whole buffer, whose floats are whatever they last were.</summary>
    public TensorLease Rent()
    {
        AlignedBuffer? buffer;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _rented++;
            _idle.TryPop(out buffer);
        }

        return TensorLease.Over(buffer ?? new AlignedBuffer(length), this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            while (_idle.TryPop(out var buffer))
                buffer.Dispose();
        }
    }

    internal void Return(AlignedBuffer buffer)
    {
        bool closed;
        lock (_gate)
        {
            _rented--;
            closed = _closed;
            if (!closed)
                _idle.Push(buffer);
        }

        if (closed)
            buffer.Dispose();
        returned?.Invoke();
    }
}
