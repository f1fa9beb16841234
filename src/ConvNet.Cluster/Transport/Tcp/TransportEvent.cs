namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>What an operator or the cluster may want to hear of the data plane.</summary>
public enum TransportEventKind
{
    /// <summary>A connection to a peer broke while frames waited for it; it is being made anew.</summary>
    ConnectionLost,

    /// <summary>The connection is there again, and nothing was lost.</summary>
    Reconnected,

    /// <summary>A peer could not be reached in time. What waited for it was dropped.</summary>
    PeerUnreachable,

    /// <summary>A peer no longer knows us: its process is another one. What waited for it was dropped.</summary>
    PeerRestarted,

    /// <summary>A peer will not talk to us, or we not to it: another version, another cluster. What waited for it was dropped.</summary>
    PeerRefused,

    /// <summary>Somebody did not keep to the protocol. The connection was closed.</summary>
    Malformed,

    /// <summary>A connection was closed unheard because there are too many.</summary>
    TurnedAway,

    /// <summary>Floats were offered in a peer's memory and could not be read there. The connection was closed; over the next one they come through the socket.</summary>
    MemoryUnreadable,

    /// <summary>A receiver on this node threw: a bug.</summary>
    ReceiverFailed,
}

/// <summary>Something that happened to the data plane.</summary>
/// <param name="Kind">What kind of thing.</param>
/// <param name="Peer">The peer's endpoint, or its address where it did not say.</param>
/// <param name="Text">The event in words, the peer included.</param>
public sealed record TransportEvent(TransportEventKind Kind, string Peer, string Text);
