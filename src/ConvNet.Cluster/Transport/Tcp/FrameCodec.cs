using System.Buffers;
using System.Buffers.Binary;
using ConvNet.Cluster.Protocol;
using MessagePack;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>The start of a frame: a fixed prefix, and a MessagePack header that says where to and what. The floats follow, little-endian.</summary>
/// <remarks>
/// Prefix, 24 bytes, little-endian: magic "CNVF" (4), length of the header (4), the frame's number in its session (8), number of floats (8).
/// Header: [job, part, <see cref="ITensorHeader"/>]. Where the receiver reads the sender's memory (<see cref="PeerMemory"/>), long frames have 8 bytes after the header, the
/// address of their floats, and not these. On the way back, 8 bytes say the number up to which frames have come whole.
/// </remarks>
internal static class FrameCodec
{
    /// <summary>Bytes of the prefix.</summary>
    public const int PrefixLength = 24;

    /// <summary>The longest header, without the prefix.</summary>
    public const int MaxHeader = 4096;

    /// <summary>Bytes of an acknowledgement.</summary>
    public const int AckLength = 8;

    /// <summary>Bytes of the address of floats.</summary>
    public const int AddressLength = 8;

    /// <summary>Part of the protocol, for both ends must judge alike. Fewer bytes of floats go through the socket also where the receiver reads the sender's memory: to write and to read them costs no more than the calls to do that.</summary>
    private const long LeastByAddress = 16 << 10;

    private const uint Magic = 0x46564E43;   // "CNVF"

    /// <summary>Whether a frame of so many floats has their address in their place, where the receiver reads the sender's memory.</summary>
    public static bool GoesByAddress(int floats) => (long)floats * sizeof(float) >= LeastByAddress;

    /// <summary>Writes the header. The prefix goes before it, once its length and the frame's number are known.</summary>
    public static void WriteHeader(IBufferWriter<byte> bytes, TensorTarget target, ITensorHeader header)
    {
        var writer = new MessagePackWriter(bytes);
        writer.WriteArrayHeader(3);
        writer.Write(target.Job);
        writer.Write(target.Part);
        MessagePackSerializer.Serialize(ref writer, header, ClusterSerializer.Options);
        writer.Flush();
    }

    /// <summary>Writes the prefix.</summary>
    public static void WritePrefix(Span<byte> prefix, int headerLength, long sequence, int floats)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(prefix, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(prefix[4..], headerLength);
        BinaryPrimitives.WriteInt64LittleEndian(prefix[8..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(prefix[16..], floats);
    }

    /// <summary>Reads a prefix, and believes none of it.</summary>
    /// <exception cref="MalformedException">It is none, or has a length that no frame has.</exception>
    public static (int HeaderLength, long Sequence, int Floats) ReadPrefix(ReadOnlySpan<byte> prefix)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(prefix) != Magic)
            throw new MalformedException($"sent {Convert.ToHexString(prefix)} where a frame begins");
        uint headerLength = BinaryPrimitives.ReadUInt32LittleEndian(prefix[4..]);
        if (headerLength is 0 or > MaxHeader)
            throw new MalformedException($"announced a header of {headerLength} bytes; it takes 1 to {MaxHeader}");
        ulong floats = BinaryPrimitives.ReadUInt64LittleEndian(prefix[16..]);
        if (floats > int.MaxValue)
            throw new MalformedException($"announced {floats} floats; the most is {int.MaxValue}");
        return ((int)headerLength, BinaryPrimitives.ReadInt64LittleEndian(prefix[8..]), (int)floats);
    }

    /// <summary>Reads a header. It is null where it is of a kind that this build does not know.</summary>
    /// <exception cref="MalformedException">It cannot be read.</exception>
    public static (string Job, string Part, ITensorHeader? Header) ReadHeader(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var reader = new MessagePackReader(bytes);
            if (reader.ReadArrayHeader() != 3 || reader.ReadString() is not { } job || reader.ReadString() is not { } part)
                throw new MalformedException("sent a header that does not say where its frame goes");
            var header = MessagePackSerializer.Deserialize<ITensorHeader?>(ref reader, ClusterSerializer.Options);
            return reader.End ? (job, part, header) : throw new MalformedException("sent a header with something behind it");
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException)
        {
            throw new MalformedException($"sent a header that cannot be read: {e.Message}");
        }
    }
}
