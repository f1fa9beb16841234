using System.Globalization;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Data;
using ConvNet.Data.Manifests;
using ConvNet.Data.ModelFiles;
using Microsoft.Extensions.Logging;

namespace ConvNet.Cluster.DataSets;

/// <summary>A node's data sets: finds what a job wants in its data directory, or in its cache, or gets it from the coordinator; and keeps it loaded.</summary>
/// <param name="directory">The node's data directory.</param>
/// <param name="cache">What has been shipped to it.</param>
/// <param name="loaded">What it has in memory.</param>
/// <param name="transport">Its data plane.</param>
/// <param name="shipping">Window and patience.</param>
/// <param name="log">Is told where data was found.</param>
internal sealed class NodeData(
    DataDirectory directory, ShippedDataSets cache, LoadedDataSets loaded, ITensorTransport transport, ShippingOptions shipping, ILogger log)
{
    /// <summary>Folder of the cache in a data directory.</summary>
    private static readonly string Cache = Path.Combine(".convnet", "cache");

    /// <summary>For a node.</summary>
    /// <param name="dataDirectory">Its data directory, which holds the cache too. It need not exist.</param>
    /// <param name="trains">Whether the node has workers, and so a use for pixels.</param>
    /// <param name="transport">Its data plane.</param>
    /// <param name="log">Is told where data was found.</param>
    /// <exception cref="DataException">The directory's path cannot be one.</exception>
    public static NodeData At(string dataDirectory, bool trains, ITensorTransport transport, ILogger log)
    {
        var directory = new DataDirectory(dataDirectory);
        return new(directory, new ShippedDataSets(Path.Combine(directory.Path, Cache), log), new LoadedDataSets(holdLast: trains), transport, new(), log);
    }

    /// <summary>Finds what a job's <c>data</c> names in the data directory, for a coordinator. May read all of it.</summary>
    /// <exception cref="DataException">It is missing, or not in the directory.</exception>
    public Task<LocatedData> LocateAsync(string name, bool skipDamaged) => Task.Run(() =>
    {
        var data = directory.Locate(name, skipDamaged);
        if (data.Skipped.Count > 0)
            log.LogWarning("Data {Name}: {Count} damaged picture(s) are left out, the first is {First}", name, data.Skipped.Count, data.Skipped[0]);
        return data;
    });

    /// <summary>Reads the weights that a job's <c>init</c> names from the data directory.</summary>
    /// <exception cref="DataException">They are missing, damaged, or not in the directory.</exception>
    public Task<SavedTensors?> ReadInitialAsync(string name) => Task.Run<SavedTensors?>(() => SavedTensors.Read(name, directory.LocateWeights(name)));

    /// <summary>Loads what has been located, once.</summary>
    /// <exception cref="DataException">It is damaged.</exception>
    public Task<DataSplits> LoadAsync(LocatedData data) => loaded.GetAsync(data.Manifest.ContentHash, _ => Task.FromResult(data.Load()), CancellationToken.None);

    /// <summary>Loads what a job is trained on, once, from wherever it is nearest.</summary>
    /// <exception cref="DataException">It is nowhere, or is not what the coordinator has.</exception>
    public async Task<DataSplits> LoadAsync(DataOrigin origin, CancellationToken stop)
    {
        var listed = origin.ToManifestOfManifest() is null ? origin.ToManifest() : null;
        var description = origin.ToDescription();
        var data = await loaded.GetAsync(origin.ContentHash, async ended =>
        {
            var manifest = listed ?? await FetchManifestAsync(origin, ended).ConfigureAwait(false);
            return (await FindAsync(origin, manifest, ended).ConfigureAwait(false)).Load(description.Normalisation);
        }, stop).ConfigureAwait(false);

        // Normalisation is exact sums over the pixels, so every node comes to the same: the carried one is a check that this node has read the same pixels. Pictures
        // that are too many for the memory are not all decoded only for that: there it is taken over.
        return DataDescription.Of(data).DifferenceFrom(description) is { } difference
            ? throw new DataException($"data {origin.Name}: this node has read {difference}. The files were changed while they were read, or its program is another: run the same release on all nodes, and submit the job again.")
            : data;
    }

    /// <summary>Finds what a job is trained on, or fetches it.</summary>
    /// <exception cref="DataException">It is nowhere.</exception>
    public async Task<LocatedData> FindAsync(DataOrigin origin, DataManifest manifest, CancellationToken stop)
    {
        if (InDirectory(origin, manifest, stop) is { } here)
        {
            log.LogInformation("Data {Name}: found in {Folder}", origin.Name, here.Folder.Length > 0 ? here.Folder : "the program");
            return here;
        }

        if (cache.Find(origin.Name, manifest, stop) is { } cached)
        {
            log.LogInformation("Data {Name}: found in the cache {Folder}", origin.Name, cached.Folder);
            return cached;
        }

        var source = SourceOf(origin);
        log.LogInformation("Data {Name}: fetching {Bytes} bytes from the coordinator at {Endpoint}", origin.Name, manifest.Length, source.Endpoint);
        long began = shipping.Clock.GetTimestamp();
        var shipped = await cache.AddAsync(
            origin.Name, manifest, folder => DataSetDownload.RunAsync(origin.Name, manifest, source, folder, transport, shipping, stop)).ConfigureAwait(false);
        log.LogInformation(
            "Data {Name}: fetched in {Seconds} s, kept in {Folder}", origin.Name, shipping.Clock.GetElapsedTime(began).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture), shipped.Folder);
        return shipped;
    }

    /// <summary>A manifest that was too long for the message. It is shipped and kept as a set of one file, whose hash is the content hash.</summary>
    private async Task<DataManifest> FetchManifestAsync(DataOrigin origin, CancellationToken stop)
    {
        var one = origin.ToManifestOfManifest()!;
        if (cache.Find(origin.Name, one, stop) is not { } text)
        {
            var source = DataOrigin.ManifestSource(SourceOf(origin));
            text = await cache.AddAsync(origin.Name, one, folder => DataSetDownload.RunAsync(origin.Name, one, source, folder, transport, shipping, stop)).ConfigureAwait(false);
        }

        var manifest = DataManifest.Parse(await File.ReadAllTextAsync(Path.Combine(text.Folder, DataOrigin.ManifestFile), stop).ConfigureAwait(false));
        return manifest.ContentHash == origin.ContentHash
            ? manifest
            : throw new DataException($"data {origin.Name}: the coordinator's content hash is {origin.ContentHash}, here it comes to {manifest.ContentHash}. Run the same release on all nodes.");
    }

    private static TensorTarget SourceOf(DataOrigin origin) => origin.Source is { Endpoint: not null, Job: not null, Part: not null } source
        ? source
        : throw new DataException($"data {origin.Name}: is not on this node, and its coordinator does not ship it.");

    private LocatedData? InDirectory(DataOrigin origin, DataManifest manifest, CancellationToken stop)
    {
        try
        {
            var here = directory.Find(origin.Name, manifest, origin.Folder ?? "", stop);
            if (here is null || here.Manifest.ContentHash == manifest.ContentHash)
                return here;
            log.LogWarning("Data {Name}: what is in {Folder} is not what the coordinator has; it is left alone, and not used", origin.Name, here.Folder);
        }
        catch (DataException unusable)
        {
            log.LogWarning("Data {Name}: what is in this node's data directory cannot be used: {Reason}", origin.Name, unusable.Message);
        }

        return null;
    }
}
