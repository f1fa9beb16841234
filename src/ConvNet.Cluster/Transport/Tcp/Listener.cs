using System.Net;
using System.Net.Sockets;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>Takes connections from peers, each with a thread of its own; and no more than there may be.</summary>
internal sealed class Listener
{
    private readonly TcpContext _context;
    private readonly SessionTable _sessions;
    private readonly FrameDelivery _delivery;
    private readonly Socket _socket;
    private readonly Lock _gate = new();
    private readonly HashSet<IncomingConnection> _connections = [];
    private readonly Dictionary<IPAddress, int> _perAddress = [];
    private int _unidentified;
    private long _turnedAwaySaid;

    /// <param name="socket">Bound, and not listening yet.</param>
    /// <param name="context">The transport's.</param>
    /// <param name="sessions">The transport's.</param>
    /// <param name="delivery">The transport's.</param>
    public Listener(Socket socket, TcpContext context, SessionTable sessions, FrameDelivery delivery)
    {
        (_socket, _context, _sessions, _delivery) = (socket, context, sessions, delivery);
        socket.Listen(512);
        context.Threads.Start($"tensors at {context.Endpoint}", Run);
    }

    /// <summary>Takes no more connections, and breaks those that there are.</summary>
    public void Close()
    {
        _context.IsClosing = true;
        SocketEnd.Break(_socket);
        _socket.Dispose();
        lock (_gate)
        {
            foreach (var connection in _connections)
                connection.Break();
        }
    }

    /// <summary>Reports how many were turned away since the last time: one report, however many they are.</summary>
    public void Watch()
    {
        long count = _context.Counters.TurnedAway.Value, more = count - _turnedAwaySaid;
        _turnedAwaySaid = count;
        if (more > 0)
            _context.Report(TransportEventKind.TurnedAway, _context.Endpoint, $"turned {more} connections away; {_connections.Count} are open");
    }

    private void Run()
    {
        while (!_context.IsClosing)
        {
            try
            {
                Take(_socket.Accept());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_context.IsClosing)
                    return;

                // Too many open files, or the peer has left already. The former passes only with time.
                _context.Counters.TurnedAway.Add(1);
                Thread.Sleep(10);
            }
        }
    }

    private void Take(Socket socket)
    {
        var peer = (socket.RemoteEndPoint as IPEndPoint) ?? new(IPAddress.None, 0);
        var connection = new IncomingConnection(socket, peer.ToString(), _context, _sessions, _delivery);
        var options = _context.Options;
        lock (_gate)
        {
            int same = _perAddress.GetValueOrDefault(peer.Address);
            if (_context.IsClosing || _connections.Count >= options.MaxConnections || same >= options.MaxConnectionsPerAddress || _unidentified >= options.MaxUnidentified)
            {
                socket.Dispose();
                _context.Counters.TurnedAway.Add(1);
                return;
            }

            _connections.Add(connection);
            _perAddress[peer.Address] = same + 1;
            _unidentified++;
        }

        _context.Threads.Start($"tensors from {peer}", () => Serve(connection, peer.Address));
    }

    private void Serve(IncomingConnection connection, IPAddress address)
    {
        bool identified = false;
        connection.Run(identified: () =>
        {
            identified = true;
            lock (_gate)
                _unidentified--;
        });

        lock (_gate)
        {
            _connections.Remove(connection);
            if (!identified)
                _unidentified--;
            if (--_perAddress[address] == 0)
                _perAddress.Remove(address);
        }
    }
}
