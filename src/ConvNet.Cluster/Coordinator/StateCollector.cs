using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Coordinator;

/// <summary>Gets all slices of one version that every shard holds, and puts them together.</summary>
internal sealed class StateCollector : ITensorReceiver, IDisposable
{
    private readonly Lock _gate = new();
    private readonly ShardPlan _plan;
    private readonly long _version;
    private readonly Action<TensorLease> _collected;
    private readonly HashSet<int> _missing;
    private readonly IDisposable _open;
    private readonly Action<int> _ask;
    private TensorLease? _state;

    /// <summary>Asks all shards; <paramref name="collected"/> is given the state, on any thread.</summary>
    public StateCollector(string job, ShardPlan plan, TensorTarget[] shards, long version, ITensorTransport transport, Action<TensorLease> collected)
    {
        (_plan, _version, _collected) = (plan, version, collected);
        _missing = [.. Enumerable.Range(0, shards.Length)];
        _state = TensorLease.Allocate(plan.Layout.StateLength);
        var target = new TensorTarget(transport.Endpoint, job, "collector");
        _open = transport.Open(target, this);
        _ask = shard => transport.Send(shards[shard], new WeightsRequest(version, target), TensorLease.Empty);
    }

    /// <summary>Sends the requests.</summary>
    public void Ask()
    {
        for (int shard = 0; shard < _plan.Shards; shard++)
            _ask(shard);
    }

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length)
    {
        lock (_gate)
        {
            if (_state is null || header is not WeightsHeader h || h.Version != _version || !_missing.Contains(h.Shard))
                return TensorDestination.Refuse($"{header} was not asked for");
            var range = _plan.State(h.Shard);
            return length == range.Length
                ? TensorDestination.Into(_state.Slice(range.Start, range.Length))
                : TensorDestination.Refuse($"expected {range.Length} floats, got {length}");
        }
    }

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        values.Dispose();
        TensorLease? whole = null;
        lock (_gate)
        {
            if (_missing.Remove(((WeightsHeader)header).Shard) && _missing.Count == 0)
                (whole, _state) = (_state, null);
        }

        if (whole is not null)
            _collected(whole);
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header) => _ask(((WeightsHeader)header).Shard);

    /// <inheritdoc/>
    public void Dispose()
    {
        _open.Dispose();
        lock (_gate)
        {
            _state?.Dispose();
            _state = null;
        }
    }
}
