using System.Buffers.Binary;
using System.Text;

namespace ConvNet.Dashboard.Tests.Support;

/// <summary>Reads an event file as its format is published, byte by byte, and checks every checksum: nothing of what writes it is used.</summary>
internal static class EventRecords
{
    /// <summary>One event: its time, its step, its scalars; or the version that the file begins with.</summary>
    public sealed record Entry(double Time, long Step, string? Version, IReadOnlyList<(string Tag, float Value)> Scalars);

    public static IReadOnlyList<Entry> Read(byte[] file)
    {
        var entries = new List<Entry>();
        for (int at = 0; at < file.Length;)
        {
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at)));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            byte[] data = file[(at + 12)..(at + 12 + length)];
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            entries.Add(Parse(data));
            at += length + 16;
        }

        return entries;
    }

    private static Entry Parse(byte[] data)
    {
        (double time, long step, string? version, List<(string, float)> scalars) = (0, 0, null, []);
        foreach ((int field, ulong number, byte[] bytes) in Fields(data))
        {
            if (field == 1)
                time = BitConverter.UInt64BitsToDouble(number);
            else if (field == 2)
                step = (long)number;
            else if (field == 3)
                version = Encoding.UTF8.GetString(bytes);
            else if (field == 5)
                scalars.AddRange(Fields(bytes).Where(f => f.Field == 1).Select(f => Scalar(f.Bytes)));
        }

        return new(time, step, version, scalars);
    }

    private static (string Tag, float Value) Scalar(byte[] data)
    {
        (int Field, ulong Number, byte[] Bytes)[] fields = [.. Fields(data)];
        return (Encoding.UTF8.GetString(fields.Single(f => f.Field == 1).Bytes), BitConverter.UInt32BitsToSingle((uint)fields.Single(f => f.Field == 2).Number));
    }

    /// <summary>The fields of a protocol buffer: numbers of all kinds as they lie there, everything else as bytes.</summary>
    private static IEnumerable<(int Field, ulong Number, byte[] Bytes)> Fields(byte[] data)
    {
        for (int at = 0; at < data.Length;)
        {
            ulong key = Varint(data, ref at);
            int field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    yield return (field, Varint(data, ref at), []);
                    break;
                case 1:
                    yield return (field, BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(at)), []);
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(data, ref at);
                    yield return (field, 0, data[at..(at + length)]);
                    at += length;
                    break;
                default:
                    Assert.Equal(5u, key & 7);
                    yield return (field, BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(at)), []);
                    at += 4;
                    break;
            }
        }
    }

    private static ulong Varint(byte[] data, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = data[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = Crc32C(data);
        return ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
    }

    /// <summary>Bit by bit, with Castagnoli's polynomial.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }

        return ~crc;
    }
}
