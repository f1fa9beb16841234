using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>The transport between nodes: TCP, with floats sent from the sender's buffer and received into the receiver's.</summary>
/// <remarks>
/// <para>Two processes of one machine pass long frames' floats on without the socket, which then carries only where they lie: see <see cref="PeerMemory"/>.</para>
/// <para>Whoever sends calls; so between two nodes that send to each other there are two connections, each with frames one way and receipts the other.
/// Frames to a node's own endpoint are handed over in the process. A connection is made when something is to be sent.</para>
/// <para><b>Each frame arrives at most once, and in order, while both processes live</b>, however often connections break. The frames of a session
/// (one link of the sender, one peer) are numbered from 1, and the sender keeps each until it is acknowledged. The receiver counts the frames of the session that
/// it has taken whole, R, and takes none but number R + 1. One connection at a time serves a session: a newer one breaks the older and waits for its
/// thread, so R is not changed by two. The answer to a hello says R, and the sender goes on at R + 1. So no number is taken twice and none is skipped,
/// until a session ends; then what it still had is dropped, and a later session of the same sender waits for the end of the earlier one.</para>
/// <para><b>A frame that a connection breaks in</b> was accepted, and its floats are half there. The receiver is told nothing: the session holds the destination, the sender
/// begins the frame again from its first float, and whatever floats are there are overwritten. So who has accepted a frame hears of it
/// exactly once more: that it has arrived, or, when its session has ended, that it is abandoned.</para>
/// <para><b>A session ends</b> when the sender gives it up (the peer out of reach for <see cref="TcpTransportOptions.PeerTimeout"/>, or <see cref="Forget"/>), when a newer
/// one of the same sender begins, or when no connection has served it for twice that time. A sender that comes back to a session which the receiver does not know, as after a
/// restart of its process, is told so: it drops what it has, for it cannot know what has arrived.</para>
/// </remarks>
public sealed class TcpTransport : ITensorTransport
{
    private readonly TcpContext _context;
    private readonly TargetTable _targets = new();
    private readonly SessionTable _sessions;
    private readonly FramePool _frames;
    private readonly Listener _listener;
    private readonly ConcurrentDictionary<string, OutgoingLink> _links = new();
    private readonly Timer _watch;
    private long _session;
    private volatile bool _isDisposed;

    /// <summary>Listens, and is ready to send.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public TcpTransport(TcpTransportOptions options)
    {
        options.Validate();
        var socket = Bind(options);
        Port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        _context = new(options, EndpointText.Of(AnnouncedHost(options), options.AnnouncedPort ?? Port));
        _sessions = new(options);
        _frames = new(_context.Counters);
        _listener = new(socket, _context, _sessions, new(_targets, _context));
        var period = TimeSpan.FromSeconds(Math.Clamp(options.PeerTimeout.TotalSeconds / 10, 0.05, 1));
        _watch = new(_ => Watch(), null, period, period);
    }

    /// <inheritdoc/>
    public string Endpoint => _context.Endpoint;

    /// <summary>The port that is listened on.</summary>
    public int Port { get; }

    /// <summary>What has been moved and met.</summary>
    public TcpCounters Counters => _context.Counters;

    /// <inheritdoc/>
    public long Refused => Counters.FramesRefused.Value;

    /// <summary>Frames that have been sent and are not acknowledged.</summary>
    public int Waiting => _links.Values.Sum(link => link.Waiting);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The target is on another node.</exception>
    public IDisposable Open(TensorTarget target, ITensorReceiver receiver)
    {
        if (target.Endpoint != Endpoint)
            throw new ArgumentException($"{target} cannot be opened on {Endpoint}.", nameof(target));
        return _targets.Open(target, receiver);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The header takes more than 4096 bytes.</exception>
    public void Send(TensorTarget target, ITensorHeader header, TensorLease values)
    {
        if (target.Endpoint == Endpoint)
        {
            if (!_targets.Deliver(target, header, values))
                Counters.FramesRefused.Add(1);
            return;
        }

        var frame = _frames.Take(target, header, values);
        while (!_isDisposed)
        {
            var link = _links.GetOrAdd(target.Endpoint, NewLink);
            if (link.TrySend(frame))
            {
                if (_isDisposed)
                    link.End();   // it may have come after the others were ended
                return;
            }

            Remove(link);
        }

        _frames.Drop(frame);
    }

    /// <inheritdoc/>
    public void Forget(string endpoint)
    {
        if (_links.TryRemove(endpoint, out var link))
            link.End();
        _sessions.Forget(endpoint);
    }

    /// <summary>Drops what waits, closes all connections, and waits until all threads have ended.</summary>
    /// <remarks>Not to be called by a receiver. Whoever wants all frames to have arrived waits until <see cref="Waiting"/> is 0 before.</remarks>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _watch.Dispose();
        _listener.Close();
        _sessions.Clear();
        foreach (var link in _links.Values)
            link.End();
        _targets.Clear();
        _context.Threads.WhenAllEnded().Wait();
    }

    private static Socket Bind(TcpTransportOptions options)
    {
        var socket = new Socket(options.Bind.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (options.Bind.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(new IPEndPoint(options.Bind, options.Port));
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"Cannot listen for tensors on {new IPEndPoint(options.Bind, options.Port)}: {e.Message}. Choose another address or port, or 0 for any port that is free.", e);
        }
    }

    private static string AnnouncedHost(TcpTransportOptions options) =>
        options.AnnouncedHost ?? (options.Bind.Equals(IPAddress.Any) || options.Bind.Equals(IPAddress.IPv6Any) ? Dns.GetHostName() : options.Bind.ToString());

    private OutgoingLink NewLink(string endpoint) => new(endpoint, Interlocked.Increment(ref _session), _context, _frames, Remove);

    private void Remove(OutgoingLink link) => _links.TryRemove(KeyValuePair.Create(link.Endpoint, link));

    private void Watch()
    {
        foreach (var link in _links.Values)
            link.Watch();
        _sessions.Expire();
        _listener.Watch();
    }
}
