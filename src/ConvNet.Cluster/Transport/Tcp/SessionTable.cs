using System.Net.Sockets;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>The sessions of all peers that send here: one for each sender, the newest.</summary>
internal sealed class SessionTable(TcpTransportOptions options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, IncomingSession> _sessions = [];

    /// <summary>
    /// How long a session is kept without a connection: longer than any sender tries to come back to it. A sender that comes later still is told
    /// that its session is unknown, so nothing goes wrong with any time.
    /// </summary>
    private TimeSpan Linger => 2 * options.PeerTimeout;

    /// <summary>Finds or begins the session that a connection is to serve.</summary>
    /// <returns>The session, null where the verdict is no welcome.</returns>
    public (IncomingSession? Session, HelloAnswer Answer) Claim(Hello hello, Socket socket)
    {
        if (hello.Cluster != options.Cluster)
            return (null, new(HelloVerdict.Refused, 0, $"belongs to cluster '{options.Cluster}', this node to '{hello.Cluster}'."));
        try
        {
            IncomingSession? session, older = null;
            lock (_gate)
            {
                session = _sessions.GetValueOrDefault(hello.Sender);
                if (session is not null && session.Number < hello.Session)
                    (session, older) = (null, session);
                if (session is null && hello.Resumes || session is not null && session.Number > hello.Session)
                    return (null, new(HelloVerdict.UnknownSession, 0, ""));
                if (session is null && older is null && _sessions.Count >= options.MaxConnections)
                    return (null, Busy($"has {_sessions.Count} sessions already"));
            }

            // What is left of an older session comes before anything of the new one: it is over when no thread serves it.
            older?.End();
            older?.WaitUntilReleased(options.HelloTimeout);
            if (session is null)
            {
                lock (_gate)
                {
                    session = _sessions.GetValueOrDefault(hello.Sender);
                    if (session is null || session.Number < hello.Session)
                        _sessions[hello.Sender] = session = new IncomingSession(hello);
                }
            }

            if (session.Number == hello.Session && session.Serve(socket, options.HelloTimeout))
                return (session, new(HelloVerdict.Welcome, session.Received, ""));
            return (null, new(HelloVerdict.UnknownSession, 0, ""));
        }
        catch (TimeoutException)
        {
            return (null, Busy("is still at work on an older connection"));
        }
    }

    /// <summary>Ends the sessions of a peer that is gone.</summary>
    public void Forget(string endpoint) => EndAll(session => session.Endpoint == endpoint);

    /// <summary>Ends the sessions that no connection has served for a while.</summary>
    public void Expire() => EndAll(session => session.IsIdleFor(Linger));

    /// <summary>Ends all sessions.</summary>
    public void Clear() => EndAll(_ => true);

    private static HelloAnswer Busy(string text) => new(HelloVerdict.Busy, 0, $"it {text}");

    private void EndAll(Predicate<IncomingSession> which)
    {
        List<IncomingSession> ending = [];
        lock (_gate)
        {
            foreach (var (sender, session) in _sessions)
            {
                if (!which(session))
                    continue;
                ending.Add(session);
                _sessions.Remove(sender);
            }
        }

        foreach (var session in ending)
            session.End();
    }
}
