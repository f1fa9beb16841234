using System.Collections.Concurrent;
using System.Text;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Data.Manifests;
using ConvNet.Data.ModelFiles;
using Microsoft.Extensions.Logging;

namespace ConvNet.Cluster.DataSets;

/// <summary>A coordinator's data sets: says what a job's data is like, and ships it to nodes for as long as a job needs it.</summary>
/// <param name="node">The data sets of the coordinator's node.</param>
/// <param name="transport">The node's data plane.</param>
/// <param name="log">Is told what cannot be shipped.</param>
internal sealed class CoordinatorData(NodeData node, ITensorTransport transport, ILogger log)
{
    /// <param name="source">Answers for the data's files.</param>
    /// <param name="manifest">Answers for the manifest's text.</param>
    private sealed class Shared(DataSetSource source, DataSetSource? manifest) : IDisposable
    {
        public DataSetSource Source => source;

        public int Users { get; set; }

        public void Dispose()
        {
            source.Dispose();
            manifest?.Dispose();
        }
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Shared> _sources = [];
    private readonly ConcurrentDictionary<string, DataDescription> _descriptions = new();      // by content hash; to describe is to load

    /// <summary>Says what a job's data is like. May read all of it.</summary>
    /// <param name="name">A job's <c>data</c>, relative to the data directory.</param>
    /// <param name="skipDamaged">Whether damaged pictures are left out.</param>
    /// <exception cref="ConvNet.Data.DataException">It is missing, damaged, or not in the data directory.</exception>
    public async Task<DataDescription> DescribeAsync(string name, bool skipDamaged = false) =>
        await DescribeAsync(await node.LocateAsync(name, skipDamaged).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Reads the weights that a job begins with.</summary>
    /// <param name="name">A job's <c>init</c>, relative to the data directory; null for none.</param>
    /// <exception cref="ConvNet.Data.DataException">They are missing, damaged, or not in the data directory.</exception>
    public Task<SavedTensors?> ReadInitialAsync(string? name) => name is null ? Task.FromResult<SavedTensors?>(null) : node.ReadInitialAsync(name);

    /// <summary>Ships a job's data to whoever asks, until the result is disposed.</summary>
    /// <param name="name">A job's <c>data</c>, relative to the data directory.</param>
    /// <param name="skipDamaged">Whether damaged pictures are left out.</param>
    /// <exception cref="ConvNet.Data.DataException">It is missing, damaged, or not in the data directory.</exception>
    public async Task<OfferedData> OfferAsync(string name, bool skipDamaged = false)
    {
        var data = await node.LocateAsync(name, skipDamaged).ConfigureAwait(false);
        var description = await DescribeAsync(data).ConfigureAwait(false);
        string hash = data.Manifest.ContentHash;
        lock (_gate)
        {
            if (!_sources.TryGetValue(hash, out var shared))
                _sources.Add(hash, shared = Share(data, description));
            shared.Users++;
            return new OfferedData(DataOrigin.Of(data, description, shared.Source.Target), description, () => Withdraw(hash));
        }
    }

    private async Task<DataDescription> DescribeAsync(LocatedData data)
    {
        if (_descriptions.TryGetValue(data.Manifest.ContentHash, out var known))
            return known;
        return _descriptions[data.Manifest.ContentHash] = DataDescription.Of(await node.LoadAsync(data).ConfigureAwait(false));
    }

    private Shared Share(LocatedData data, DataDescription description)
    {
        var source = new DataSetSource(data, transport, log);
        if (DataOrigin.Of(data, description, source.Target).ToManifestOfManifest() is not { } manifest)
            return new(source, null);
        byte[] text = Encoding.UTF8.GetBytes(data.Manifest.Text());
        return new(source, new DataSetSource(new LocatedData(data.Name, manifest, "", ""), DataOrigin.ManifestSource(source.Target), text, transport, log));
    }

    private void Withdraw(string hash)
    {
        lock (_gate)
        {
            var shared = _sources[hash];
            if (--shared.Users > 0)
                return;
            _sources.Remove(hash);
            shared.Dispose();
        }
    }
}

/// <summary>Data that a coordinator ships to whoever asks. Dispose it when the job's attempt is over.</summary>
/// <param name="origin">For the start messages.</param>
/// <param name="description">What the data is like.</param>
/// <param name="withdraw">Called once.</param>
internal sealed class OfferedData(DataOrigin origin, DataDescription description, Action withdraw) : IDisposable
{
    private Action? _withdraw = withdraw;

    /// <summary>For the start messages.</summary>
    public DataOrigin Origin => origin;

    /// <summary>What the data is like.</summary>
    public DataDescription Description => description;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _withdraw, null)?.Invoke();
}
