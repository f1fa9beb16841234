using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport;

/// <summary>The transport within one process: buffers change hands and are not copied, except into a place that the receiver named.</summary>
/// <remarks>A frame has arrived when <see cref="Send"/> returns; the receiver runs on the sender's thread.</remarks>
public sealed class InProcessTransport : ITensorTransport
{
    private readonly TargetTable _targets = new();
    private long _refused;

    /// <inheritdoc/>
    public string Endpoint => "local";

    /// <inheritdoc/>
    public long Refused => Interlocked.Read(ref _refused);

    /// <inheritdoc/>
    public IDisposable Open(TensorTarget target, ITensorReceiver receiver) => _targets.Open(target, receiver);

    /// <inheritdoc/>
    public void Send(TensorTarget target, ITensorHeader header, TensorLease values)
    {
        if (!_targets.Deliver(target, header, values))
            Interlocked.Increment(ref _refused);
    }

    /// <inheritdoc/>
    public void Dispose() => _targets.Clear();
}
