using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ConvNet.Data.ModelFiles;

/// <summary>The tensors of a safetensors file of whatever origin, with the file's hash: what a training may begin with.</summary>
/// <remarks>Read once, so that the hash is that of what is used. Numbers of half precision are widened, which is exact; what is no float at all (PyTorch's counters) may lie beside them.</remarks>
public sealed class SavedTensors
{
    private readonly ReadOnlyMemory<byte> _values;
    private readonly List<StoredTensor> _tensors;

    private SavedTensors(string name, byte[] file)
    {
        (Name, Sha256) = (name, Convert.ToHexStringLower(SHA256.HashData(file)));
        (_tensors, _values) = Safetensors.Parse($"init: {name}", file);
    }

    /// <summary>How the user named the file.</summary>
    public string Name { get; }

    /// <summary>SHA-256 of the whole file, in lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    /// <summary>What is in it, in the order of the values.</summary>
    internal IReadOnlyList<StoredTensor> Tensors => _tensors;

    /// <summary>Reads a file.</summary>
    /// <param name="name">How the user named it, for messages.</param>
    /// <param name="path">The file, or the folder of a trained model; null for what <paramref name="name"/> says.</param>
    /// <exception cref="DataException">It is missing or damaged.</exception>
    public static SavedTensors Read(string name, string? path = null)
    {
        string file = PathOf(path ?? name);
        return File.Exists(file)
            ? new SavedTensors(name, Safetensors.ReadBytes(file, $"init: {name}"))
            : throw new DataException($"init: {name}: there is no such file (looked for {Path.GetFullPath(file)}). It takes a safetensors file, or the folder of a trained model.");
    }

    /// <summary>The file that a path stands for: itself, or the weights in the folder of a model or beside its description.</summary>
    public static string PathOf(string path) => Directory.Exists(path) ? Path.Combine(path, ModelFile.WeightsName)
        : Path.GetFileName(path) == ModelFile.DescriptionName ? Path.Combine(Path.GetDirectoryName(path)!, ModelFile.WeightsName) : path;

    /// <summary>Copies a tensor's values.</summary>
    /// <exception cref="DataException">They are no floats of 32 or 16 bits, or one is not finite.</exception>
    internal void Copy(StoredTensor tensor, Span<float> to)
    {
        ReadOnlySpan<byte> bytes = _values.Span[(int)tensor.Begin..(int)tensor.End];
        switch (tensor.Type)
        {
            case Safetensors.Float32:
                bytes.CopyTo(MemoryMarshal.AsBytes(to));
                break;
            case "F16":
                for (int i = 0; i < to.Length; i++)
                    to[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]);
                break;
            case "BF16":
                for (int i = 0; i < to.Length; i++)
                    to[i] = BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
                break;
            default:
                throw new DataException($"init: {Name}: {tensor.Name} is of type {tensor.Type}; only F32, F16 and BF16 are read. Convert it to float32.");
        }

        for (int i = 0; i < to.Length; i++)
        {
            if (!float.IsFinite(to[i]))
                throw new DataException($"init: {Name}: {tensor.Name} has {(float.IsNaN(to[i]) ? "a NaN" : "an infinity")} (value {i} of {to.Length}); nothing can be learned from there. Take weights from before they diverged.");
        }
    }
}
