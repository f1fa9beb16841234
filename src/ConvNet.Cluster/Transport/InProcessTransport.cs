using System.Collections.Concurrent;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport;

/// <summary>The transport within one process: buffers change hands and are not copied, except into a place that the receiver named.</summary>
/// <remarks>A frame has arrived when <see cref="Send"/> returns; the receiver runs on the sender's thread.</remarks>
public sealed class InProcessTransport : ITensorTransport
{
    private readonly ConcurrentDictionary<TensorTarget, ITensorReceiver> _receivers = new();
    private long _refused;

    /// <inheritdoc/>
    public string Endpoint => "local";

    /// <inheritdoc/>
    public long Refused => Interlocked.Read(ref _refused);

    /// <inheritdoc/>
    public IDisposable Open(TensorTarget target, ITensorReceiver receiver)
    {
        if (!_receivers.TryAdd(target, receiver))
            throw new InvalidOperationException($"{target} is open already.");
        return new Opened(this, target);
    }

    /// <inheritdoc/>
    public void Send(TensorTarget target, ITensorHeader header, TensorLease values)
    {
        if (!_receivers.TryGetValue(target, out var receiver))
        {
            Refuse(values);
            return;
        }

        var destination = receiver.Accept(header, values.Length);
        if (destination.Refusal is not null)
        {
            Refuse(values);
        }
        else if (destination.Place is { } place)
        {
            values.Span.CopyTo(place.Span);
            values.Dispose();
            receiver.Arrived(header, place);
        }
        else
        {
            receiver.Arrived(header, values);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _receivers.Clear();

    private void Refuse(TensorLease values)
    {
        values.Dispose();
        Interlocked.Increment(ref _refused);
    }

    private sealed class Opened(InProcessTransport transport, TensorTarget target) : IDisposable
    {
        public void Dispose() => transport._receivers.TryRemove(target, out _);
    }
}
