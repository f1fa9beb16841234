using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>A frame on its way out: prefix and header as bytes, the floats still in the sender's buffer. Used again and again.</summary>
internal sealed class OutgoingFrame : IBufferWriter<byte>
{
    /// <summary>A frame's first bytes, header and floats, go out in one piece of up to this length; the rest straight from the sender's buffer.</summary>
    public const int FirstPiece = 16 << 10;

    private byte[] _start = new byte[256];
    private int _written;

    /// <summary>The frame that was sent after this one.</summary>
    public OutgoingFrame? Next { get; set; }

    /// <summary>The frame's number in its session, from 1.</summary>
    public long Sequence { get; private set; }

    /// <summary>The floats.</summary>
    public TensorLease Values { get; private set; } = TensorLease.Empty;

    /// <summary>Bytes of it on the wire.</summary>
    /// <param name="byAddress">Whether long frames go with the address of their floats.</param>
    public long LengthOnWire(bool byAddress) =>
        _written + (byAddress && FrameCodec.GoesByAddress(Values.Length) ? FrameCodec.AddressLength : (long)Values.Length * sizeof(float));

    /// <summary>Takes a frame's content. The lease is given.</summary>
    /// <exception cref="ArgumentException">The header is longer than any receiver takes. The lease is still the caller's.</exception>
    public void Fill(TensorTarget target, ITensorHeader header, TensorLease values)
    {
        _written = FrameCodec.PrefixLength;
        FrameCodec.WriteHeader(this, target, header);
        if (_written - FrameCodec.PrefixLength > FrameCodec.MaxHeader)
            throw new ArgumentException($"The header of a frame to {target} takes {_written - FrameCodec.PrefixLength} bytes; the most is {FrameCodec.MaxHeader}.", nameof(header));
        Values = values;
    }

    /// <summary>Gives the frame its place in the session.</summary>
    public void Number(long sequence)
    {
        Sequence = sequence;
        FrameCodec.WritePrefix(_start, _written - FrameCodec.PrefixLength, sequence, Values.Length);
    }

    /// <summary>Gives the floats back, and forgets all else.</summary>
    public void Clear()
    {
        Values.Dispose();
        (Values, Next) = (TensorLease.Empty, null);
    }

    /// <summary>Writes on from <paramref name="offset"/> to a socket that does not block: as much as it takes.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="byAddress">Whether long frames go with the address of their floats.</param>
    /// <param name="offset">Bytes of the frame written so far.</param>
    /// <param name="piece">Room for <see cref="FirstPiece"/> bytes.</param>
    /// <param name="error">Success, or <see cref="SocketError.WouldBlock"/> where the socket is full, or what broke.</param>
    /// <returns>Bytes that the socket has taken now.</returns>
    public int WriteTo(Socket socket, bool byAddress, long offset, Span<byte> piece, out SocketError error)
    {
        if (offset >= FirstPiece)
            return socket.Send(FloatBytes(offset - _written), SocketFlags.None, out error);

        piece = piece[..(int)Math.Min(LengthOnWire(byAddress), FirstPiece)];
        _start.AsSpan(0, _written).CopyTo(piece);
        if (byAddress && FrameCodec.GoesByAddress(Values.Length))
            BinaryPrimitives.WriteUInt64LittleEndian(piece[_written..], Address());
        else
            FloatBytes(0)[..(piece.Length - _written)].CopyTo(piece[_written..]);
        return socket.Send(piece[(int)offset..], SocketFlags.None, out error);
    }

    /// <summary>Where the floats lie: outside the garbage-collected heap, so that they stay there.</summary>
    private unsafe ulong Address() => (ulong)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Values.Span));

    /// <summary>The floats' bytes from a place on: all, or as many as a span of bytes can hold.</summary>
    private Span<byte> FloatBytes(long from)
    {
        var floats = Values.Span[(int)(from / sizeof(float))..];
        return MemoryMarshal.AsBytes(floats[..Math.Min(floats.Length, 1 << 28)])[(int)(from % sizeof(float))..];
    }

    void IBufferWriter<byte>.Advance(int count) => _written += count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => Room(sizeHint);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => Room(sizeHint).Span;

    private Memory<byte> Room(int sizeHint)
    {
        if (_start.Length - _written < Math.Max(1, sizeHint))
            Array.Resize(ref _start, Math.Max(_start.Length * 2, _written + sizeHint));
        return _start.AsMemory(_written);
    }
}
