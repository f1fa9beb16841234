using ConvNet.Data.Manifests;

namespace ConvNet.Cluster.DataSets;

/// <summary>A part of a file of a data set: what is asked for and sent at a time.</summary>
/// <param name="File">The file's place in the manifest.</param>
/// <param name="Offset">Where it starts, in bytes.</param>
/// <param name="Length">Bytes, from 1 to <see cref="MostBytes"/>.</param>
internal readonly record struct DataPiece(int File, long Offset, int Length)
{
    /// <summary>Bytes of every piece but a file's last.</summary>
    public const int MostBytes = 1 << 20;

    /// <summary>Floats that hold the largest piece.</summary>
    public const int MostFloats = MostBytes / sizeof(float);

    /// <summary>Floats that hold it: what is over at the end is zero.</summary>
    public int Floats => (Length + sizeof(float) - 1) / sizeof(float);

    /// <summary>All pieces of all files, in order.</summary>
    public static IEnumerable<DataPiece> Of(DataManifest manifest)
    {
        for (int file = 0; file < manifest.Files.Count; file++)
        {
            long length = manifest.Files[file].Length;
            for (long offset = 0; offset < length; offset += MostBytes)
                yield return new(file, offset, (int)Math.Min(MostBytes, length - offset));
        }
    }

    /// <summary>Why there is no such piece, or null.</summary>
    public string? NotIn(DataManifest manifest)
    {
        if ((uint)File >= (uint)manifest.Files.Count)
            return $"file {File} is not among the {manifest.Files.Count} of the data set";
        return Length is < 1 or > MostBytes || Offset < 0 || Offset > manifest.Files[File].Length - Length
            ? $"{Length} bytes from {Offset} are no piece of {manifest.Files[File].Name}, which has {manifest.Files[File].Length}"
            : null;
    }
}
