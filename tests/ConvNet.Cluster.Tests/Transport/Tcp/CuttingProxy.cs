using System.Net;
using System.Net.Sockets;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

/// <summary>Stands between two nodes, forwards bytes, and cuts connections where a test wants it: after so many bytes, or all of them.</summary>
internal sealed class CuttingProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _gate = new();
    private readonly List<Socket> _sockets = [];
    private readonly Func<int, Budget> _budget;
    private int _connections;
    private bool _isDown;

    /// <param name="budget">For each connection, counted from 0: how many bytes pass before it is cut.</param>
    public CuttingProxy(Func<int, Budget>? budget = null)
    {
        _budget = budget ?? (_ => Budget.Endless);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    /// <summary>Bytes that pass either way before both ends are cut.</summary>
    public readonly record struct Budget(long Forth, long Back)
    {
        public static Budget Endless => new(long.MaxValue, long.MaxValue);
    }

    /// <summary>Where it listens: what the node behind it announces.</summary>
    public int Port { get; }

    /// <summary>The port of the node behind it.</summary>
    public int Upstream { get; set; }

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Cuts all connections and, while down, each new one at once.</summary>
    public bool IsDown
    {
        get => _isDown;
        set
        {
            lock (_gate)
            {
                _isDown = value;
                if (value)
                    CutAll();
            }
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        IsDown = true;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var caller = await _listener.AcceptSocketAsync();
                _ = ForwardAsync(caller, Interlocked.Increment(ref _connections) - 1);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ForwardAsync(Socket caller, int number)
    {
        var called = new Socket(SocketType.Stream, ProtocolType.Tcp);
        lock (_gate)
        {
            _sockets.AddRange([caller, called]);
            if (_isDown)
                CutAll();
        }

        try
        {
            await called.ConnectAsync(IPAddress.Loopback, Upstream);
            (caller.NoDelay, called.NoDelay) = (true, true);
            var budget = _budget(number);
            await Task.WhenAny(PumpAsync(caller, called, budget.Forth), PumpAsync(called, caller, budget.Back));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut already.
        }
        finally
        {
            caller.Dispose();
            called.Dispose();
        }
    }

    private static async Task PumpAsync(Socket from, Socket to, long budget)
    {
        byte[] buffer = new byte[64 << 10];
        try
        {
            while (budget > 0)
            {
                int count = await from.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, budget)));
                if (count == 0)
                    return;
                for (int sent = 0; sent < count;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                budget -= count;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut by the other pump.
        }
    }

    private void CutAll()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
        _sockets.Clear();
    }
}
