using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ConvNet.Core.Networks;
using ConvNet.Data.Files;

namespace ConvNet.Data.ModelFiles;

/// <summary>A named array of float32 in a file.</summary>
/// <param name="Name"><c>conv1.weight</c>.</param>
/// <param name="Shape">Its dimensions, the last fastest.</param>
/// <param name="Offset">Where it starts among the file's values, in floats.</param>
public sealed record NamedTensor(string Name, IReadOnlyList<int> Shape, int Offset)
{
    /// <summary>Floats.</summary>
    public int Length => Shape.Aggregate(1, (product, size) => checked(product * size));

    /// <summary>The slices of a network's state: its parameters, then its running statistics.</summary>
    public static NamedTensor[] Of(Network network) =>
    [
        .. network.Parameters.Select(p => new NamedTensor(p.Name, p.Shape, p.Offset)),
        .. network.Statistics.Select(s => new NamedTensor(s.Name, s.Shape, network.ParameterCount + s.Offset)),
    ];
}

/// <summary>A named array in a file, of whatever type.</summary>
/// <param name="Name"><c>conv1.weight</c>.</param>
/// <param name="Type">The format's word for it: <c>F32</c>.</param>
/// <param name="Shape">Its dimensions, the last fastest.</param>
/// <param name="Begin">Where it starts among the bytes of values.</param>
/// <param name="End">Where it ends.</param>
internal sealed record StoredTensor(string Name, string Type, int[] Shape, long Begin, long End);

/// <summary>Reads and writes safetensors files of float32.</summary>
/// <remarks>
/// Eight bytes of little-endian header length; a JSON object from each tensor's name to <c>dtype</c>, <c>shape</c> and <c>data_offsets</c>, with
/// <c>__metadata__</c> for text, padded with spaces to a multiple of 8; then the values, little-endian, in order and without gaps
/// (Hugging Face, "safetensors", format). Nothing in such a file can be executed.
/// </remarks>
public static class Safetensors
{
    private const int LongestHeader = 100_000_000;      // the format's own limit
    private const string Metadata = "__metadata__";

    /// <summary>The format's word for float32.</summary>
    internal const string Float32 = "F32";

    /// <summary>Writes a file, whole or not at all. The same tensors give the same bytes.</summary>
    /// <param name="path">Where.</param>
    /// <param name="tensors">Slices of <paramref name="values"/>, one after the other and without gaps.</param>
    /// <param name="values">All values.</param>
    /// <param name="metadata">Text to go along.</param>
    public static void Write(string path, IReadOnlyList<NamedTensor> tensors, ReadOnlyMemory<float> values, IReadOnlyDictionary<string, string> metadata)
    {
        AtomicFile.Write(path, stream => Write(stream, tensors, values.Span, metadata));
    }

    /// <summary>Writes a file's content into a stream.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="tensors">Slices of <paramref name="values"/>, one after the other and without gaps.</param>
    /// <param name="values">All values.</param>
    /// <param name="metadata">Text to go along.</param>
    public static void Write(Stream stream, IReadOnlyList<NamedTensor> tensors, ReadOnlySpan<float> values, IReadOnlyDictionary<string, string> metadata)
    {
        byte[] header = Header(tensors, metadata);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);

        // By blocks: a span of bytes ends at 2 GiB, the values may not.
        const int Block = 1 << 20;
        for (int at = 0; at < values.Length; at += Block)
            stream.Write(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(Block, values.Length - at))));
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="DataException">The file is missing, damaged, or holds something else than float32.</exception>
    public static (IReadOnlyList<NamedTensor> Tensors, float[] Values) Read(string path)
    {
        (List<StoredTensor> stored, ReadOnlyMemory<byte> values) = Parse(path, ReadBytes(path, path), [Float32]);
        NamedTensor[] tensors = [.. stored.Select(t => new NamedTensor(t.Name, t.Shape, (int)(t.Begin / sizeof(float))))];
        return (tensors, MemoryMarshal.Cast<byte, float>(values.Span).ToArray());
    }

    /// <summary>All bytes of a file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="subject">How errors begin.</param>
    /// <exception cref="DataException">It cannot be read.</exception>
    internal static byte[] ReadBytes(string path, string subject)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{subject}: cannot be read ({missing.Message.TrimEnd('.')}).", missing);
        }
    }

    /// <summary>Tells the parts of a file apart: its tensors in the order of their values, and the values.</summary>
    /// <param name="subject">How errors begin.</param>
    /// <param name="file">All of it.</param>
    /// <param name="types">The types that are read; none for any.</param>
    /// <exception cref="DataException">It is damaged, no such file, or holds something of another type.</exception>
    internal static (List<StoredTensor> Tensors, ReadOnlyMemory<byte> Values) Parse(string subject, byte[] file, params string[] types)
    {
        if (file.Length < 8)
            throw new DataException($"{subject}: expected a safetensors file, found {file.Length} bytes.");
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file);
        if (headerLength > LongestHeader || headerLength > (ulong)file.Length - 8)
            throw new DataException($"{subject}: its header claims {headerLength} bytes, the file has {file.Length}. It is cut off, or no safetensors file.");
        ReadOnlyMemory<byte> values = file.AsMemory(8 + (int)headerLength);
        return (Tensors(subject, file.AsMemory(8, (int)headerLength), values.Length, types), values);
    }

    private static byte[] Header(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(Metadata);
                foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            foreach (NamedTensor tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                foreach (int size in tensor.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue((long)tensor.Offset * sizeof(float));
                json.WriteNumberValue(((long)tensor.Offset + tensor.Length) * sizeof(float));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        memory.Write(Encoding.ASCII.GetBytes(new string(' ', (int)((8 - (memory.Length % 8)) % 8))));
        return memory.ToArray();
    }

    private static List<StoredTensor> Tensors(string subject, ReadOnlyMemory<byte> header, int bodyLength, string[] types)
    {
        var tensors = new List<StoredTensor>();
        try
        {
            using JsonDocument json = JsonDocument.Parse(header);
            foreach (JsonProperty entry in json.RootElement.EnumerateObject().Where(e => e.Name != Metadata))
                tensors.Add(Tensor(subject, entry, types));
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            throw new DataException($"{subject}: its header is not that of a safetensors file ({wrong.Message.TrimEnd('.')}).", wrong);
        }

        tensors.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long next = 0;
        foreach (StoredTensor tensor in tensors)
        {
            if (tensor.Begin != next)
            {
                int size = BytesOf(tensor.Type) is { } known && tensor.Begin % known == 0 && next % known == 0 ? known : 1;
                throw new DataException($"{subject}: {tensor.Name} starts at {(size == 1 ? "byte" : "value")} {tensor.Begin / size}, expected {next / size}: tensors lie one after the other without gaps.");
            }

            next = tensor.End;
        }

        if (tensors.DistinctBy(t => t.Name).Count() != tensors.Count)
            throw new DataException($"{subject}: two tensors have the name {tensors.GroupBy(t => t.Name).First(g => g.Count() > 1).Key}.");
        return next == bodyLength
            ? tensors
            : throw new DataException($"{subject}: its header tells of {next} bytes of values, found {bodyLength}. It is cut off or damaged.");
    }

    private static StoredTensor Tensor(string subject, JsonProperty entry, string[] types)
    {
        string type = entry.Value.GetProperty("dtype").GetString() ?? "";
        if (types.Length > 0 && !types.Contains(type))
            throw new DataException($"{subject}: {entry.Name} is of type {type}; only {string.Join(", ", types)} is read. Convert it to float32.");
        int[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
        long[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64())];
        if (shape.Any(size => size < 0) || offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0])
            throw new DataException($"{subject}: {entry.Name} has a shape or offsets that cannot be.");
        long length = shape.Aggregate(1, (product, size) => checked(product * size));
        return BytesOf(type) is not { } size || offsets[1] - offsets[0] == length * size
            ? new StoredTensor(entry.Name, type, shape, offsets[0], offsets[1])
            : throw new DataException($"{subject}: {entry.Name} [{string.Join(", ", shape)}] takes {length * size} bytes, its offsets give {offsets[1] - offsets[0]}.");
    }

    /// <summary>Bytes of a value of a type; null for one that is not known here.</summary>
    private static int? BytesOf(string type) => type switch
    {
        "F64" or "I64" or "U64" => 8,
        Float32 or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "I8" or "U8" or "BOOL" => 1,
        _ => null,
    };
}
