using System.Net.Sockets;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>What came of a call.</summary>
internal abstract record DialOutcome
{
    /// <summary>Connected. The socket does not block; frames go on after the one that was received last, with their floats or, where the peer reads our memory, with their address.</summary>
    public sealed record Welcome(Socket Socket, bool ByAddress, long Received) : DialOutcome;

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
    /// <summary>Calls once, and blocks at most for <paramref name="patience"/> or the time that a hello may take.</summary>
    /// <exception cref="MalformedException">What answers is no tensor transport.</exception>
    public DialOutcome Dial(string endpoint, Hello hello, TimeSpan patience, CancellationToken cancel)
    {
        if (!EndpointText.TryParse(endpoint, out string host, out int port))
            return new DialOutcome.Refused($"'{endpoint}' is no endpoint; one looks like host:4054 or [::1]:4054.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        bool keep = false;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(patience < options.HelloTimeout ? patience : options.HelloTimeout);
            socket.ConnectAsync(host, port, limit.Token).AsTask().GetAwaiter().GetResult();
            Prepare(socket);
            socket.Blocking = false;
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
                socket.Dispose();
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
            HelloVerdict.Welcome => new DialOutcome.Welcome(socket, answer.ReadsMemory && hello.Memory is not null, answer.Received),
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
        const int Moment = 100_000;   // µs; how soon a cancellation is noticed
        cancel.ThrowIfCancellationRequested();
        socket.Poll(Moment, SelectMode.SelectRead);
    }
}
