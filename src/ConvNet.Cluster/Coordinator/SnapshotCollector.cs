using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Coordinator;

/// <summary>Gets all parts of a snapshot that every shard holds, and puts them together: the state, and the optimizer's planes.</summary>
internal sealed class SnapshotCollector : ITensorReceiver, IDisposable
{
    private readonly Lock _gate = new();
    private readonly ShardPlan _plan;
    private readonly long _version;
    private readonly Action<TensorLease, TensorLease> _collected;
    private readonly HashSet<(int Shard, int Part)> _missing = [];
    private readonly IDisposable _open;
    private readonly Action<int, int> _ask;
    private TensorLease? _state, _optimizer;

    /// <summary>Asks all shards; <paramref name="collected"/> is given state and planes, on any thread.</summary>
    public SnapshotCollector(
        string job, ShardPlan plan, int planes, TensorTarget[] shards, long version, ITensorTransport transport, Action<TensorLease, TensorLease> collected)
    {
        (_plan, _version, _collected) = (plan, version, collected);
        _state = TensorLease.Allocate(plan.Layout.StateLength);
        _optimizer = TensorLease.Allocate(planes * plan.Layout.Parameters);
        for (int shard = 0; shard < shards.Length; shard++)
        {
            for (int part = 0; part <= planes; part++)
                _missing.Add((shard, part));
        }

        var target = new TensorTarget(transport.Endpoint, job, $"snapshot-{version}");
        _open = transport.Open(target, this);
        _ask = (shard, part) => transport.Send(shards[shard], new SnapshotRequest(version, part, target), TensorLease.Empty);
    }

    /// <summary>Sends the requests.</summary>
    public void Ask()
    {
        (int, int)[] all;
        lock (_gate)
            all = [.. _missing];
        foreach (var (shard, part) in all)
            _ask(shard, part);
    }

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length)
    {
        lock (_gate)
        {
            if (_state is null || header is not SnapshotHeader h || h.Version != _version || !_missing.Contains((h.Shard, h.Part)))
                return TensorDestination.Refuse($"{header} was not asked for");
            var (state, parameters) = (_plan.State(h.Shard), _plan.Parameters(h.Shard));
            int expected = h.Part == 0 ? state.Length : parameters.Length;
            if (length != expected)
                return TensorDestination.Refuse($"expected {expected} floats, got {length}");
            return TensorDestination.Into(h.Part == 0
                ? _state.Slice(state.Start, state.Length)
                : _optimizer!.Slice(((h.Part - 1) * _plan.Layout.Parameters) + parameters.Start, parameters.Length));
        }
    }

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        values.Dispose();
        TensorLease? state = null, optimizer = null;
        lock (_gate)
        {
            var h = (SnapshotHeader)header;
            if (_missing.Remove((h.Shard, h.Part)) && _missing.Count == 0)
                (state, optimizer, _state, _optimizer) = (_state, _optimizer, null, null);
        }

        if (state is not null)
            _collected(state, optimizer!);
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header)
    {
        var h = (SnapshotHeader)header;
        _ask(h.Shard, h.Part);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _open.Dispose();
        lock (_gate)
        {
            _state?.Dispose();
            _optimizer?.Dispose();
            (_state, _optimizer) = (null, null);
        }
    }
}
