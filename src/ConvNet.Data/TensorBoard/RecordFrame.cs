using System.Buffers.Binary;
using System.Numerics;

namespace ConvNet.Data.TensorBoard;

/// <summary>How records lie one after the other in TensorFlow's record files.</summary>
/// <remarks>
/// <code>
/// length of the data   uint64, little-endian
/// masked CRC-32C of the length's eight bytes   uint32
/// data
/// masked CRC-32C of the data                   uint32
/// </code>
/// The mask turns a checksum by 15 bits and adds a constant, because checksums of data that hold checksums are weak.
/// </remarks>
internal static class RecordFrame
{
    private const uint MaskDelta = 0xA282EAD8;
    private const int LengthBytes = sizeof(ulong), HeaderBytes = LengthBytes + sizeof(uint);

    /// <summary>Writes a record.</summary>
    public static void Write(Stream stream, ReadOnlySpan<byte> data)
    {
        Span<byte> header = stackalloc byte[HeaderBytes], footer = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[LengthBytes..], Masked(header[..LengthBytes]));
        BinaryPrimitives.WriteUInt32LittleEndian(footer, Masked(data));
        stream.Write(header);
        stream.Write(data);
        stream.Write(footer);
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + MaskDelta;
    }
}
