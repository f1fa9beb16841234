namespace ConvNet.Cluster.Workers;

/// <summary>A request for a shard's slice of the weights: of this version, or the next after it that the shard still has.</summary>
internal readonly record struct Ask(int Shard, long Version);

/// <summary>Knows which slices of which version have come, and says which to ask for. Pure.</summary>
/// <remarks>
/// A shard answers with the oldest version it has that is not older than the one asked for. Where shards answer with different versions,
/// the newest of them is what all can give (they differ by one at most, and keep two), and the others are asked again. One request a
/// shard is under way at any time.
/// </remarks>
internal sealed class ReplicaTracker(int shards)
{
    private readonly long[] _come = new long[shards];
    private readonly bool[] _asked = new bool[shards];
    private bool _gathering;

    /// <summary>The version that is being gathered, or was gathered last.</summary>
    public long Version { get; private set; } = -1;

    /// <summary>Begins to gather a version.</summary>
    public List<Ask> Begin(long version)
    {
        if (_gathering)
            throw new InvalidOperationException($"Version {Version} is still being gathered.");
        (Version, _gathering) = (version, true);
        Array.Fill(_come, -1);
        return AskForMissing();
    }

    /// <summary>Whether a slice is expected: one that nobody asked for is not written anywhere.</summary>
    public bool Expects(int shard, long version) =>
        _gathering && (uint)shard < (uint)shards && _asked[shard] && version >= 0;

    /// <summary>A slice has come. Says what to ask for next; nothing, once all slices are of one version.</summary>
    public (bool Complete, List<Ask> Asks) Arrived(int shard, long version)
    {
        _asked[shard] = false;
        _come[shard] = version;
        Version = Math.Max(Version, version);
        if (Array.TrueForAll(_come, v => v == Version))
        {
            _gathering = false;
            return (true, []);
        }

        return (false, AskForMissing());
    }

    /// <summary>A slice will not come: its connection broke.</summary>
    public List<Ask> Lost(int shard)
    {
        _asked[shard] = false;
        return AskForMissing();
    }

    private List<Ask> AskForMissing()
    {
        var asks = new List<Ask>();
        for (int s = 0; s < shards; s++)
        {
            if (_asked[s] || _come[s] == Version)
                continue;
            _asked[s] = true;
            asks.Add(new(s, Version));
        }

        return asks;
    }
}
