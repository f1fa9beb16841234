using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>A transport within the process whose frames a test may drop, double or change.</summary>
/// <param name="deliver">Is given each frame and a way to deliver it, which it calls as often as it likes, with whatever it likes. The lease is its own.</param>
public sealed class FaultyTransport(Action<ITensorHeader, TensorLease, Action<ITensorHeader, TensorLease>> deliver) : ITensorTransport
{
    private readonly InProcessTransport _transport = new();

    public string Endpoint => _transport.Endpoint;

    public long Refused => _transport.Refused;

    public IDisposable Open(TensorTarget target, ITensorReceiver receiver) => _transport.Open(target, receiver);

    public void Send(TensorTarget target, ITensorHeader header, TensorLease values) => deliver(header, values, (h, v) => _transport.Send(target, h, v));

    public void Dispose() => _transport.Dispose();
}
