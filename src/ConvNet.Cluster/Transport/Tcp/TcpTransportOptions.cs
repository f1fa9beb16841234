using System.Net;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>How a node's data plane listens and how patient it is.</summary>
public sealed record TcpTransportOptions
{
    /// <summary>The address to listen on. Default: loopback, because a port that others reach is to be asked for.</summary>
    public IPAddress Bind { get; init; } = IPAddress.Loopback;

    /// <summary>The port to listen on, 0 to 65535. Default: 0, any that is free.</summary>
    public int Port { get; init; }

    /// <summary>The host under which others reach this node: a name or an address. Default: the bind address, or the machine's name where that is any.</summary>
    public string? AnnouncedHost { get; init; }

    /// <summary>The port under which others reach this node, where something in between maps it. Default: the one that is listened on.</summary>
    public int? AnnouncedPort { get; init; }

    /// <summary>The cluster's name. Peers of another one are refused.</summary>
    public string Cluster { get; init; } = "convnet";

    /// <summary>
    /// How long a peer may be out of reach, or take nothing, before what waits for it is dropped. Default: 10 s, longer than a
    /// switch takes to restart a port and far longer than a pause of the garbage collector.
    /// </summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a hello may take, and its answer. Default: 5 s, for it is 100 bytes.</summary>
    public TimeSpan HelloTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections that are taken in all. Default: 1024, a thread each.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>Connections that are taken from one address. Default: 256; a node needs one, and some share an address.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 256;

    /// <summary>Connections that have not said hello. Default: 64, for a hello takes a moment; who is turned away comes again.</summary>
    public int MaxUnidentified { get; init; } = 64;

    /// <summary>
    /// Whether floats between two processes of this machine are read from the sender's memory instead of going through the socket, where the system allows it. Default: yes.
    /// </summary>
    public bool SharesMemory { get; init; } = true;

    /// <summary>Is told what happens. Called on the transport's threads: quick, and never throws.</summary>
    public Action<TransportEvent> Observer { get; init; } = _ => { };

    /// <summary>The protocol's version that is spoken; another one only in tests.</summary>
    internal uint Version { get; init; } = Handshake.Version;

    internal void Validate()
    {
        Check(nameof(Port), Port, 0, ushort.MaxValue);
        Check(nameof(AnnouncedPort), AnnouncedPort ?? 1, 1, ushort.MaxValue);
        Check(nameof(MaxConnections), MaxConnections, 1, 100_000);
        Check(nameof(MaxConnectionsPerAddress), MaxConnectionsPerAddress, 1, 100_000);
        Check(nameof(MaxUnidentified), MaxUnidentified, 1, 100_000);
        Check(nameof(PeerTimeout), PeerTimeout.TotalSeconds, 0.1, 3600);
        Check(nameof(HelloTimeout), HelloTimeout.TotalSeconds, 0.1, 3600);
        if (Cluster.Length is 0 or > Handshake.MaxName)
            throw new ArgumentException($"{nameof(Cluster)} has {Cluster.Length} characters; it takes 1 to {Handshake.MaxName}.");
        if (AnnouncedHost is { Length: 0 or > Handshake.MaxName })
            throw new ArgumentException($"{nameof(AnnouncedHost)} has {AnnouncedHost.Length} characters; it takes 1 to {Handshake.MaxName}.");
    }

    private static void Check(string option, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new ArgumentException($"{option} is {value}; it takes {least} to {most}.");
    }
}
