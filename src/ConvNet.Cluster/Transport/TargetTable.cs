using System.Collections.Concurrent;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport;

/// <summary>The targets that are open on a node, and the delivery of a frame to one of them within the process.</summary>
internal sealed class TargetTable
{
    private readonly ConcurrentDictionary<TensorTarget, ITensorReceiver> _receivers = new();

    /// <summary>Opens a target; disposing the result closes it.</summary>
    /// <exception cref="InvalidOperationException">It is open already.</exception>
    public IDisposable Open(TensorTarget target, ITensorReceiver receiver)
    {
        if (!_receivers.TryAdd(target, receiver))
            throw new InvalidOperationException($"{target} is open already.");
        return new Opened(this, target);
    }

    /// <summary>Closes all targets.</summary>
    public void Clear() => _receivers.Clear();

    /// <summary>The receiver at a target, or null.</summary>
    public ITensorReceiver? Find(TensorTarget target) => _receivers.GetValueOrDefault(target);

    /// <summary>Asks a receiver where a frame's floats go, and sees to it that they fit there. A destination that is no refusal is as long as the floats.</summary>
    public static TensorDestination Ask(ITensorReceiver receiver, ITensorHeader header, int length)
    {
        var destination = receiver.Accept(header, length);
        if (destination.Refusal is not null)
            return destination;
        int room = destination.Place?.Length ?? destination.Pool?.Length ?? 0;
        if (room == length)
            return destination;
        destination.Place?.Dispose();
        return TensorDestination.Refuse($"{length} floats came where there is room for {room}");
    }

    /// <summary>Hands a frame over: the buffer itself, or a copy where the receiver named a place. It has arrived when this returns.</summary>
    /// <returns>False where there is no such target, or it refuses: the values are disposed.</returns>
    public bool Deliver(TensorTarget target, ITensorHeader header, TensorLease values)
    {
        if (Find(target) is not { } receiver || Ask(receiver, header, values.Length) is not { Refusal: null } destination)
        {
            values.Dispose();
            return false;
        }

        if (destination.Place is { } place)
        {
            values.Span.CopyTo(place.Span);
            values.Dispose();
            values = place;
        }

        receiver.Arrived(header, values);
        return true;
    }

    private sealed class Opened(TargetTable table, TensorTarget target) : IDisposable
    {
        private TargetTable? _table = table;

        // Once only: closed again, it must not close an opening that came after it.
        public void Dispose() => Interlocked.Exchange(ref _table, null)?._receivers.TryRemove(target, out _);
    }
}
