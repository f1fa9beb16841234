using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Coordinator;

/// <summary>Gives each shard its range of what the attempt begins with, however many shards there now are.</summary>
internal sealed class RestoreSource : ITensorReceiver, IDisposable
{
    private readonly StartingPoint _from;
    private readonly ShardPlan _plan;
    private readonly ITensorTransport _transport;
    private readonly IDisposable _open;

    public RestoreSource(string job, StartingPoint from, ShardPlan plan, ITensorTransport transport)
    {
        (_from, _plan, _transport) = (from, plan, transport);
        Target = new(transport.Endpoint, job, "restore");
        _open = transport.Open(Target, this);
    }

    /// <summary>Where shards ask.</summary>
    public TensorTarget Target { get; }

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length)
    {
        if (header is not RestoreRequest r)
            return TensorDestination.Refuse($"only what an attempt begins with is given here, not {header.GetType().Name}");
        int parameters = _plan.Layout.Parameters, planes = parameters == 0 ? 0 : _from.Optimizer.Length / parameters;
        return length == 0 && r.Shard >= 0 && r.Shard < _plan.Shards && r.Part >= 0 && r.Part <= planes && r.ReplyTo.Job == Target.Job
            ? TensorDestination.HeaderOnly
            : TensorDestination.Refuse($"{r} asks for what there is not");
    }

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        values.Dispose();
        var (shard, part, replyTo) = (RestoreRequest)header;
        var (state, parameters) = (_plan.State(shard), _plan.Parameters(shard));
        var range = part == 0
            ? _from.State.Slice(state.Start, state.Length)
            : _from.Optimizer.Slice(((part - 1) * _plan.Layout.Parameters) + parameters.Start, parameters.Length);
        _transport.Send(replyTo, new RestoreHeader(part), range);
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header)
    {
        // A request has no floats; its sender asks again.
    }

    /// <inheritdoc/>
    public void Dispose() => _open.Dispose();
}
