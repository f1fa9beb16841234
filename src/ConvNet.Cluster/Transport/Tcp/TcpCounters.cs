using System.Diagnostics.Metrics;
using ConvNet.Cluster.Telemetry;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>What a TCP transport has moved and met, since it was made. The meter counts the same over the whole process.</summary>
public sealed class TcpCounters
{
    /// <summary>Payload and headers written to sockets, what was sent again included; not what peers on the same machine read from memory.</summary>
    public Count BytesSent { get; } = new("convnet.tensor.sent", "By", "Bytes of tensor frames written to sockets.");

    /// <summary>Payload and headers read from sockets.</summary>
    public Count BytesReceived { get; } = new("convnet.tensor.received", "By", "Bytes of tensor frames read from sockets.");

    /// <summary>Payload read from the memory of peers on the same machine, which is not among the bytes sent and received.</summary>
    public Count BytesTaken { get; } = new("convnet.tensor.taken", "By", "Bytes of tensors read from the memory of peers on the same machine.");

    /// <summary>Frames written to sockets, those that were sent again included.</summary>
    public Count FramesSent { get; } = new("convnet.tensor.frames.sent", "{frame}", "Tensor frames written to sockets.");

    /// <summary>Frames that came from sockets whole, refused ones included.</summary>
    public Count FramesReceived { get; } = new("convnet.tensor.frames.received", "{frame}", "Tensor frames received whole from sockets.");

    /// <summary>Frames for which there was no target, or which it refused.</summary>
    public Count FramesRefused { get; } = new("convnet.tensor.frames.refused", "{frame}", "Tensor frames that nobody here wanted.");

    /// <summary>Frames that were never acknowledged because their peer is gone.</summary>
    public Count FramesDropped { get; } = new("convnet.tensor.frames.dropped", "{frame}", "Tensor frames given up because their peer is gone.");

    /// <summary>Connections from or to a peer that did not keep to the protocol, or said nothing in time.</summary>
    public Count Malformed { get; } = new("convnet.tensor.connections.malformed", "{connection}", "Connections closed because the peer did not keep to the protocol.");

    /// <summary>Connections that were closed unheard because there are too many.</summary>
    public Count TurnedAway { get; } = new("convnet.tensor.connections.turned_away", "{connection}", "Connections closed unheard because there are too many.");

    /// <summary>Connections made anew after one broke.</summary>
    public Count Reconnects { get; } = new("convnet.tensor.reconnects", "{connection}", "Connections made anew after one broke.");

    /// <summary>One thing that is counted.</summary>
    public sealed class Count
    {
        private readonly Counter<long> _instrument;
        private long _value;

        internal Count(string name, string unit, string description) =>
            _instrument = ClusterMeter.Instance.CreateCounter<long>(name, unit, description);

        /// <summary>How many so far.</summary>
        public long Value => Interlocked.Read(ref _value);

        internal void Add(long more)
        {
            Interlocked.Add(ref _value, more);
            _instrument.Add(more);
        }
    }
}
