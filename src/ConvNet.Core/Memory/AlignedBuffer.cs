using System.Runtime.InteropServices;

namespace ConvNet.Core.Memory;

/// <summary>A fixed, zeroed, 64-byte-aligned block of floats outside the garbage-collected heap.</summary>
/// <remarks>
/// It never moves, so kernels walk it with pointers, sockets receive straight into it, and it costs the collector nothing.
/// One owner disposes it; the finalizer is the safety net for an owner that died.
/// </remarks>
public sealed unsafe partial class AlignedBuffer : IDisposable
{
    /// <summary>Bytes that every buffer starts at a multiple of: one cache line, one <c>Vector512</c>.</summary>
    public const int Alignment = 64;

    // From here on a buffer lies on whole huge pages, where the system has them: a convolution walks channels that are many small pages apart.
    private const nuint HugePage = 2 << 20;
    private const nuint HugeFrom = 2 * HugePage;
    private const int AdviseHugePages = 14;   // MADV_HUGEPAGE

    private float* _pointer;

    /// <summary>Allocates <paramref name="length"/> zeroed floats.</summary>
    public AlignedBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint bytes = Math.Max(Alignment, (nuint)length * sizeof(float));
        bool huge = OperatingSystem.IsLinux() && bytes >= HugeFrom;
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, huge ? HugePage : Alignment);
        if (huge)
            AskForHugePages(_pointer, bytes / HugePage * HugePage);
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

    /// <summary>Advice only: where the system refuses it or knows nothing of it, all still works.</summary>
    private static void AskForHugePages(void* start, nuint length)
    {
        try
        {
            _ = MemoryAdvise(start, length, AdviseHugePages);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(void* start, nuint length, int advice);

    private void Free()
    {
        if (_pointer == null)
            return;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        GC.RemoveMemoryPressure(Math.Max(Alignment, (long)Length * sizeof(float)));
    }
}
