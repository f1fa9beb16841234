using System.Buffers.Binary;
using ConvNet.Data.Files;

namespace ConvNet.Data.Idx;

/// <summary>Bytes with dimensions: what an IDX file holds.</summary>
/// <param name="Dimensions">Sizes, the first is the number of items.</param>
/// <param name="Bytes">The values, the last dimension fastest.</param>
public sealed record IdxBytes(IReadOnlyList<int> Dimensions, byte[] Bytes);

/// <summary>Reads IDX files of unsigned bytes, gzipped or not, as MNIST and Fashion-MNIST are published.</summary>
/// <remarks>
/// Two zero bytes, the type (08 = unsigned byte), the number of dimensions, then each size as a big-endian 32-bit number, then the values
/// (LeCun, Cortes, Burges, "The MNIST database of handwritten digits"). Gzip is told by its first bytes, not by the file's name.
/// </remarks>
public static class IdxFile
{
    private const int MostBytes = 1 << 30;
    private const byte UnsignedByte = 8;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dimensions">Dimensions that it must have: 3 for images, 1 for labels.</param>
    /// <exception cref="DataException">The file is missing, truncated, too long or of another kind.</exception>
    public static IdxBytes Read(string path, int dimensions)
    {
        byte[] raw = PackedFile.Read(path, MostBytes + 64);
        int header = 4 + (4 * dimensions);
        if (raw.Length < 4 || raw[0] != 0 || raw[1] != 0 || raw[2] != UnsignedByte)
            throw new DataException($"{path}: expected an IDX file of unsigned bytes (it begins with 00 00 08), found {Begin(raw)}.");
        if (raw[3] != dimensions)
            throw new DataException($"{path}: expected {What(dimensions)} with {dimensions} dimension(s), found {raw[3]}. Are images and labels mixed up?");
        if (raw.Length < header)
            throw new DataException($"{path}: ends within its header, after {raw.Length} of {header} bytes. Get the file again.");
        var sizes = new int[dimensions];
        long values = 1;
        for (int i = 0; i < dimensions; i++)
        {
            uint size = BinaryPrimitives.ReadUInt32BigEndian(raw.AsSpan(4 + (4 * i)));
            values = size == 0 || size > MostBytes ? -1 : values * size;
            if (values < 0 || values > MostBytes)
                throw new DataException($"{path}: dimension {i + 1} is {size}; sizes start at 1, and all values together take at most {MostBytes} bytes.");
            sizes[i] = (int)size;
        }

        if (raw.Length != header + values)
        {
            string much = raw.Length < header + values ? "is cut off" : "goes on after its end";
            throw new DataException($"{path}: {much}: {string.Join("x", sizes)} values and the header are {header + values} bytes, found {raw.Length}. Get the file again.");
        }

        return new IdxBytes(sizes, raw[header..]);
    }

    private static string What(int dimensions) => dimensions == 1 ? "labels" : "images";

    private static string Begin(byte[] raw) => raw.Length == 0 ? "an empty file" : Convert.ToHexString(raw.AsSpan(0, Math.Min(4, raw.Length))).ToLowerInvariant();
}
