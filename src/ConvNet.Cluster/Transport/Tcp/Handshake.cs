using System.Buffers;
using System.Buffers.Binary;
using ConvNet.Cluster.Protocol;
using MessagePack;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>The first words on a connection: who calls, and the answer.</summary>
/// <remarks>
/// Both are 12 bytes and a MessagePack body: magic "CNVT", the protocol's version and the body's length, little-endian. Those 12 bytes stay
/// as they are in every version to come, so that two versions can tell each other which they are; a body is only read where they are the same.
/// </remarks>
internal static class Handshake
{
    /// <summary>The protocol that this build speaks. To be raised whenever frames or bodies change.</summary>
    public const uint Version = 2;

    /// <summary>Bytes before the body.</summary>
    public const int PrefixLength = 12;

    /// <summary>The longest body.</summary>
    public const int MaxBody = 1024;

    /// <summary>The longest name of a cluster or host.</summary>
    public const int MaxName = 200;

    private const uint Magic = 0x54564E43;   // "CNVT"

    /// <summary>A hello or its answer, as it goes over the wire.</summary>
    public static byte[] Write<T>(uint version, T body)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        bytes.Advance(PrefixLength);
        MessagePackSerializer.Serialize(bytes, body, ClusterSerializer.Options);
        byte[] message = bytes.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(message, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), version);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(8), message.Length - PrefixLength);
        return message;
    }

    /// <summary>The version and the length of the body that follows.</summary>
    /// <exception cref="MalformedException">It is no hello.</exception>
    public static (uint Version, int BodyLength) ReadPrefix(ReadOnlySpan<byte> prefix)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(prefix) != Magic)
            throw new MalformedException($"sent {Convert.ToHexString(prefix)}, which is no hello of the tensor protocol");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
        if (length > MaxBody)
            throw new MalformedException($"announced a hello of {length} bytes; the most is {MaxBody}");
        return (BinaryPrimitives.ReadUInt32LittleEndian(prefix[4..]), (int)length);
    }

    /// <summary>The body.</summary>
    /// <exception cref="MalformedException">It cannot be read.</exception>
    public static T ReadBody<T>(ReadOnlyMemory<byte> body) where T : class
    {
        try
        {
            return MessagePackSerializer.Deserialize<T?>(body, ClusterSerializer.Options) ?? throw new MalformedException($"sent an empty {typeof(T).Name}");
        }
        catch (MessagePackSerializationException e)
        {
            throw new MalformedException($"sent a {typeof(T).Name} that cannot be read: {e.Message}");
        }
    }
}
