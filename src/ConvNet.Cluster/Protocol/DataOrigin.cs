using System.Text;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Manifests;
using MessagePack;

namespace ConvNet.Cluster.Protocol;

/// <summary>What a job is trained on: what it is, to the last bit, and where a node that has not got it gets it from. Part of a start message.</summary>
/// <remarks>Keys are for ever: append, never renumber, never reuse. What comes over the wire is checked by <see cref="ToManifest"/> and <see cref="ToDescription"/>.</remarks>
/// <param name="Name">As the user named it.</param>
/// <param name="ContentHash">Of the manifest.</param>
/// <param name="Kind">The word for its kind.</param>
/// <param name="Folder">Where it is in the coordinator's data directory, and where a node looks first in its own.</param>
/// <param name="Files">The manifest's files; none where they are too many for a message.</param>
/// <param name="Description">What the data is like.</param>
/// <param name="Source">Where pieces of the files are asked for, with <see cref="DataRequest"/>.</param>
/// <param name="ManifestLength">Bytes of the manifest's text where that has to be asked for too, at <see cref="ManifestSource"/>; its SHA-256 is the content hash. 0 where the files are in the message.</param>
[MessagePackObject]
public sealed record DataOrigin(
    [property: Key(0)] string Name,
    [property: Key(1)] string ContentHash,
    [property: Key(2)] string Kind,
    [property: Key(3)] string Folder,
    [property: Key(4)] DataOriginFile[] Files,
    [property: Key(5)] DataOriginDescription Description,
    [property: Key(6)] TensorTarget Source,
    [property: Key(7)] long ManifestLength = 0)
{
    /// <summary>Bytes of a manifest's text that goes in the message; a message has to fit a frame of the control plane, with all the rest of it.</summary>
    private const int MostBytesInMessage = 48 * 1024;

    /// <summary>Where a manifest's text is asked for.</summary>
    public static TensorTarget ManifestSource(TensorTarget source) => source with { Part = $"{source.Part}.manifest" };

    /// <summary>Puts it together on the coordinator's node.</summary>
    public static DataOrigin Of(LocatedData data, DataDescription description, TensorTarget source)
    {
        int length = Encoding.UTF8.GetByteCount(data.Manifest.Text());
        bool fits = length <= MostBytesInMessage;
        return new(
            data.Name,
            data.Manifest.ContentHash,
            data.Manifest.Format,
            data.Within,
            fits ? [.. data.Manifest.Files.Select(f => new DataOriginFile(f.Name, f.Length, f.Sha256))] : [],
            new(
                description.Shape.Channels, description.Shape.Height, description.Shape.Width, [.. description.ClassNames], description.TrainingCount, description.TestCount,
                [.. description.Normalisation.Mean], [.. description.Normalisation.Deviation]),
            source,
            fits ? 0 : length);
    }

    /// <summary>A set of one file, the manifest's text, where that has to be asked for; null where the files are in the message.</summary>
    /// <exception cref="DataException">There can be no such manifest.</exception>
    public DataManifest? ToManifestOfManifest() => ManifestLength switch
    {
        0 => null,
        > 0 and <= DataManifest.MostBytes => new DataManifest(DataKind.Idx, [new DataFile(ManifestFile, ManifestLength, ContentHash)]),
        _ => throw new DataException($"data {Name}: a manifest of {ManifestLength} bytes cannot be."),
    };

    /// <summary>The one file's name.</summary>
    public const string ManifestFile = "manifest.txt";

    /// <summary>The manifest.</summary>
    /// <exception cref="DataException">It cannot be one, or it is not what the content hash is of.</exception>
    public DataManifest ToManifest()
    {
        if (DataName.ParseFormat(Kind ?? "") is not { } format || Files is null || Files.Contains(null))
            throw new DataException($"data {Name}: this program knows no data of kind '{Kind}'. Run the same release on all nodes.");
        var manifest = new DataManifest(format.Kind, Files.Select(f => new DataFile(f.Name, f.Length, f.Sha256)), format.ImageSize);
        return manifest.ContentHash == ContentHash
            ? manifest
            : throw new DataException($"data {Name}: the coordinator's content hash is {ContentHash}, here it comes to {manifest.ContentHash}. Run the same release on all nodes.");
    }

    /// <summary>What the data is like.</summary>
    /// <exception cref="DataException">No data can be like that.</exception>
    public DataDescription ToDescription()
    {
        var d = Description;
        return d is { ClassNames.Length: > 0, TrainingCount: > 0, TestCount: > 0, Channels: > 0, Height: > 0, Width: > 0, Mean: not null, Deviation: not null }
            && (long)d.Channels * d.Height * d.Width <= int.MaxValue && (long)d.Height * d.Width <= int.MaxValue
            && d.Mean.Length == d.Channels && d.Deviation.Length == d.Channels && !d.ClassNames.Contains(null)
            ? new(new Shape(d.Channels, d.Height, d.Width), d.ClassNames, d.TrainingCount, d.TestCount, new Normalisation(d.Mean, d.Deviation))
            : throw new DataException($"data {Name}: the coordinator's description of it cannot be. Run the same release on all nodes.");
    }
}

/// <summary>See <see cref="DataFile"/>.</summary>
[MessagePackObject]
public sealed record DataOriginFile(
    [property: Key(0)] string Name,
    [property: Key(1)] long Length,
    [property: Key(2)] string Sha256);

/// <summary>See <see cref="DataDescription"/>.</summary>
[MessagePackObject]
public sealed record DataOriginDescription(
    [property: Key(0)] int Channels,
    [property: Key(1)] int Height,
    [property: Key(2)] int Width,
    [property: Key(3)] string[] ClassNames,
    [property: Key(4)] int TrainingCount,
    [property: Key(5)] int TestCount,
    [property: Key(6)] float[] Mean,
    [property: Key(7)] float[] Deviation);
