using System.Net;
using System.Net.Sockets;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>What came of a call.</summary>
internal abstract record DialOutcome
{
    /// <summary>Connected. The socket does not block; frames go on after the one that was received last, with their floats or, where the peer reads our memory, with their address; it then wants to find its number there.</summary>
    public sealed record Welcome(Socket Socket, long? MemoryNumber, long Received) : DialOutcome;

    /// <summary>Nobody there, or too busy: call again.</summary>
    public sealed record NotNow(string Text) : DialOutcome;

    /// <summary>The peer does not know the session any more.</summary>
    public sealed record UnknownSession : DialOutcome;

    /// <summary>The peer does not want us, or we not it; the text names both.</summary>
    public sealed record Refused(string Text) : DialOutcome;
}

/// <summary>Calls a peer and says hello.</summary>
internal sealed class Dialer(TcpTransportOptions options)
{
    private const int Moment = 100_000;   // µs; how soon a cancellation is noticed

    /// <summary>Calls once, and blocks at most for <paramref name="patience"/> or the time that a hello may take.</summary>
    /// <exception cref="MalformedException">What answers is no tensor transport.</exception>
    public DialOutcome Dial(string endpoint, Hello hello, TimeSpan patience, CancellationToken cancel)
    {
        if (!EndpointText.TryParse(endpoint, out string host, out int port))
            return new DialOutcome.Refused($"'{endpoint}' is no endpoint; one looks like host:4054 or [::1]:4054.");
        Socket? socket = null;
        bool keep = false;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(patience < options.HelloTimeout ? patience : options.HelloTimeout);
            socket = Connect(host, port, limit.Token);
            Prepare(socket);
            if (!PeerMemory.IsWithinReach(socket))
                hello = hello with { Memory = null };
            var outcome = Greet(socket, endpoint, hello, limit.Token);
            keep = outcome is DialOutcome.Welcome;
            return outcome;
        }
        catch (OperationCanceledException)
        {
            return new DialOutcome.NotNow("it does not answer");
        }
        catch (SocketException e)
        {
            return new DialOutcome.NotNow(e.Message);
        }
        catch (ConnectionEndedException e)
        {
            return new DialOutcome.NotNow(e.Message);
        }
        finally
        {
            if (!keep)
                socket?.Dispose();
        }
    }

    /// <summary>What every connection has, at both ends: nothing waits to be joined with more, and a peer whose cable was cut is noticed.</summary>
    public static void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 5);
    }

    /// <summary>Connects a socket that does not block, to the first address of a host that can be reached.</summary>
    /// <remarks>
    /// Not by <see cref="Socket.ConnectAsync(string, int)"/>: .NET watches a socket that was once used like that for as long as it lives, and wakes two threads for each receipt
    /// that comes.
    /// </remarks>
    /// <exception cref="SocketException">None can.</exception>
    private static Socket Connect(string host, int port, CancellationToken cancel)
    {
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : Dns.GetHostAddressesAsync(host, cancel).GetAwaiter().GetResult();
        SocketError trouble = SocketError.HostNotFound;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            try
            {
                trouble = Connect(socket, new(address, port), cancel);
                if (trouble is SocketError.Success)
                    return socket;
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            socket.Dispose();
        }

        throw new SocketException((int)trouble);
    }

    private static SocketError Connect(Socket socket, IPEndPoint to, CancellationToken cancel)
    {
        try
        {
            socket.Connect(to);
            return SocketError.Success;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            while (!socket.Poll(Moment, SelectMode.SelectWrite))
                cancel.ThrowIfCancellationRequested();
            return (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private DialOutcome Greet(Socket socket, string endpoint, Hello hello, CancellationToken cancel)
    {
        byte[] greeting = Handshake.Write(options.Version, hello);
        if (socket.Send(greeting, SocketFlags.None, out var error) != greeting.Length)
            throw new ConnectionEndedException($"the connection broke in the hello: {error}");

        byte[] prefix = Receive(socket, Handshake.PrefixLength, cancel);
        (uint version, int length) = Handshake.ReadPrefix(prefix);
        if (version != options.Version)
            return new DialOutcome.Refused($"{endpoint} speaks version {version} of the tensor protocol, this node version {options.Version}. Run the same release on all nodes.");
        var answer = Handshake.ReadBody<HelloAnswer>(Receive(socket, length, cancel));
        return answer.Verdict switch
        {
            HelloVerdict.Welcome => new DialOutcome.Welcome(socket, hello.Memory is null ? null : answer.MemoryNumber, answer.Received),
            HelloVerdict.UnknownSession => new DialOutcome.UnknownSession(),
            HelloVerdict.Busy => new DialOutcome.NotNow(answer.Text),
            HelloVerdict.Refused => new DialOutcome.Refused(answer.Text),
            _ => throw new MalformedException($"answered the hello with verdict {answer.Verdict}"),
        };
    }

    private static byte[] Receive(Socket socket, int length, CancellationToken cancel)
    {
        byte[] bytes = new byte[length];
        for (int have = 0; have < length;)
        {
            int count = socket.Receive(bytes.AsSpan(have), SocketFlags.None, out var error);
            if (error is SocketError.Success && count > 0)
                have += count;
            else if (error is SocketError.WouldBlock)
                WaitToRead(socket, cancel);
            else
                throw new ConnectionEndedException($"it closed the connection instead of answering the hello ({error})");
        }

        return bytes;
    }

    private static void WaitToRead(Socket socket, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        socket.Poll(Moment, SelectMode.SelectRead);
    }
}
