using System.Net.Sockets;

namespace ConvNet.Cluster.Nodes;

/// <summary>Asks the operating system of another machine whether a process still listens at a port.</summary>
/// <remarks>"Refused" is an answer of a living kernel: there is no such process. Silence says nothing, it may be the cable.</remarks>
internal static class PortProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether a connection is refused, twice in a row.</summary>
    public static async Task<bool> IsRefusedAsync(string host, int port)
    {
        if (!await IsRefusedOnceAsync(host, port).ConfigureAwait(false))
            return false;
        await Task.Delay(Pause).ConfigureAwait(false);
        return await IsRefusedOnceAsync(host, port).ConfigureAwait(false);
    }

    private static async Task<bool> IsRefusedOnceAsync(string host, int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var stop = new CancellationTokenSource(Patience);
        try
        {
            await socket.ConnectAsync(host, port, stop.Token).ConfigureAwait(false);
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
