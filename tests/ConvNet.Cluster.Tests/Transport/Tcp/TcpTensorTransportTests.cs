using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

/// <summary>Two nodes over loopback keep to it.</summary>
public sealed class TcpTensorTransportTests : TensorTransportTests
{
    protected override (ITensorTransport From, ITensorTransport To) MakePair() => (new TcpTransport(new()), new TcpTransport(new()));
}

/// <summary>A node that sends to itself keeps to it, without a socket.</summary>
public sealed class TcpToSelfTests : TensorTransportTests
{
    protected override (ITensorTransport From, ITensorTransport To) MakePair()
    {
        var transport = new TcpTransport(new());
        return (transport, transport);
    }
}
