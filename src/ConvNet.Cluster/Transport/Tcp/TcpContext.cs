using ConvNet.Cluster.Threads;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>What all connections of a transport share: who they are, what they count, and to whom they report.</summary>
internal sealed class TcpContext(TcpTransportOptions options, string endpoint)
{
    private volatile bool _isClosing;

    /// <summary>The options.</summary>
    public TcpTransportOptions Options => options;

    /// <summary>This node's own endpoint.</summary>
    public string Endpoint => endpoint;

    /// <summary>This transport among all that there ever are.</summary>
    public Guid Sender { get; } = Guid.NewGuid();

    /// <summary>What is counted.</summary>
    public TcpCounters Counters { get; } = new();

    /// <summary>The transport's threads.</summary>
    public DedicatedThreads Threads { get; } = new(brief: true);

    /// <summary>Whether the transport is being disposed: what breaks now is not the peers' doing.</summary>
    public bool IsClosing
    {
        get => _isClosing;
        set => _isClosing = value;
    }

    /// <summary>Says what happened to or with a peer.</summary>
    public void Report(TransportEventKind kind, string peer, string text) => options.Observer(new(kind, peer, $"{peer} {text}"));

    /// <summary>A peer did not keep to the protocol.</summary>
    public void Malformed(string peer, MalformedException what)
    {
        Counters.Malformed.Add(1);
        Report(TransportEventKind.Malformed, peer, what.Message);
    }
}
