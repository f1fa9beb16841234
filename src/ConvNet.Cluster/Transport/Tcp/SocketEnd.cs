using System.Net.Sockets;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>The end of sockets that other threads wait on.</summary>
internal static class SocketEnd
{
    /// <summary>Ends the connection and wakes whoever waits on it. The socket stays for its owner to dispose.</summary>
    public static void Break(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended already: that is all that was wanted.
        }
    }
}
