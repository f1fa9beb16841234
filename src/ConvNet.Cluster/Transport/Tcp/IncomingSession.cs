using System.Net.Sockets;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>A session with one peer, from the receiving side: how far it has come, which outlives connections.</summary>
/// <remarks>
/// One connection at a time serves a session; it alone touches <see cref="Received"/>, <see cref="Held"/> and <see cref="MemoryFailed"/>. A newer connection of the same session breaks the older
/// one and waits until its thread has let go.
/// </remarks>
internal sealed class IncomingSession(Hello hello)
{
    private readonly object _gate = new();   // waited on, which a Lock does not offer
    private Socket? _server;                 // the connection that serves the session now
    private bool _isEnded;
    private long _idleSince = Environment.TickCount64;

    /// <summary>The session's number among those of its sender.</summary>
    public long Number => hello.Session;

    /// <summary>Where the sender listens.</summary>
    public string Endpoint => hello.Endpoint;

    /// <summary>The number of the last frame that has come whole.</summary>
    public long Received { get; set; }

    /// <summary>The frame that a connection broke in: accepted, and to come again from its first float.</summary>
    public Arrival? Held { get; set; }

    /// <summary>Whether the sender's memory could not be read although it was offered: from the next connection on, its floats come through the socket.</summary>
    public bool MemoryFailed { get; set; }

    /// <summary>Makes a connection the one that serves the session.</summary>
    /// <returns>False where the session has ended.</returns>
    /// <exception cref="TimeoutException">The older connection's thread has not let go.</exception>
    public bool Serve(Socket socket, TimeSpan patience)
    {
        lock (_gate)
        {
            long end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
            while (_server is not null && !_isEnded)
                WaitForServer(end);
            if (_isEnded)
                return false;
            _server = socket;
            return true;
        }
    }

    /// <summary>The serving connection lets go. What it held of a session that has ended meanwhile is abandoned.</summary>
    public void Release()
    {
        bool ended;
        lock (_gate)
        {
            (_server, ended) = (null, _isEnded);
            _idleSince = Environment.TickCount64;
            Monitor.PulseAll(_gate);
        }

        if (ended)
            Abandon();
    }

    /// <summary>Ends the session, for a newer one or for good, and breaks its connection.</summary>
    public void End()
    {
        bool served;
        lock (_gate)
        {
            if (_isEnded)
                return;
            _isEnded = true;
            served = _server is not null;
            if (served)
                SocketEnd.Break(_server!);
        }

        if (!served)
            Abandon();
    }

    /// <summary>Waits until no thread serves the session.</summary>
    /// <exception cref="TimeoutException">One still does.</exception>
    public void WaitUntilReleased(TimeSpan patience)
    {
        lock (_gate)
        {
            long end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
            while (_server is not null)
                WaitForServer(end);
        }
    }

    /// <summary>Whether no connection has served the session for this long.</summary>
    public bool IsIdleFor(TimeSpan time)
    {
        lock (_gate)
            return _server is null && Environment.TickCount64 - _idleSince > time.TotalMilliseconds;
    }

    private void WaitForServer(long end)
    {
        SocketEnd.Break(_server!);
        long left = end - Environment.TickCount64;
        if (left <= 0 || !Monitor.Wait(_gate, (int)left))
            throw new TimeoutException();
    }

    private void Abandon()
    {
        if (Held is not { } held)
            return;
        Held = null;
        held.Values.Dispose();
        held.Receiver.Abandoned(held.Header);
    }
}
