using System.Runtime.InteropServices;

namespace ConvNet.Core.Memory;

/// <summary>A fixed, zeroed, 64-byte-aligned block of floats outside the garbage-collected heap.</summary>
/// <remarks>
/// It never moves, so kernels walk it with pointers, sockets receive straight into it, and it costs the collector nothing.
/// One owner disposes it; the finalizer is the safety net for an owner that died.
/// </remarks>
public sealed unsafe class AlignedBuffer : IDisposable
{
    /// <summary>Bytes that every buffer starts at a multiple of: one cache line, one <c>Vector512</c>.</summary>
    public const int Alignment = 64;

    private float* _pointer;

    /// <summary>Allocates <paramref name="length"/> zeroed floats.</summary>
    public AlignedBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint bytes = Math.Max(Alignment, (nuint)length * sizeof(float));
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_pointer, bytes);
        GC.AddMemoryPressure((long)bytes);
    }

    /// <inheritdoc/>
    ~AlignedBuffer() => Free();

    /// <summary>Floats in the buffer.</summary>
    public int Length { get; }

    /// <summary>The first float.</summary>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public float* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer == null, this);
            return _pointer;
        }
    }

    /// <summary>All floats.</summary>
    public Span<float> Span => new(Pointer, Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer == null)
            return;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        GC.RemoveMemoryPressure(Math.Max(Alignment, (long)Length * sizeof(float)));
    }
}
