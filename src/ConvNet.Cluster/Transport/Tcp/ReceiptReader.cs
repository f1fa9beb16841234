using System.Buffers.Binary;
using System.Net.Sockets;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>Reads what a receiver sends back on a connection: the numbers up to which it has frames, 8 bytes each.</summary>
/// <param name="socket">A socket that does not block.</param>
/// <param name="acknowledged">Is given the newest of the numbers that have come.</param>
internal sealed class ReceiptReader(Socket socket, Action<long> acknowledged)
{
    private readonly byte[] _bytes = new byte[64 * FrameCodec.AckLength];
    private int _have;

    /// <summary>Reads to the end of the connection.</summary>
    /// <returns>Why it has ended.</returns>
    /// <exception cref="MalformedException">A number cannot be; thrown by the callback.</exception>
    public string Run()
    {
        try
        {
            while (true)
            {
                int count = socket.Receive(_bytes.AsSpan(_have), SocketFlags.None, out var error);
                if (error is SocketError.WouldBlock)
                    socket.Poll(-1, SelectMode.SelectRead);
                else if (error is not SocketError.Success)
                    return error.ToString();
                else if (count == 0)
                    return "the peer closed it";
                else
                    Take(count);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return e.Message;
        }
    }

    private void Take(int count)
    {
        _have += count;
        int whole = _have / FrameCodec.AckLength * FrameCodec.AckLength;
        if (whole > 0)
            acknowledged(BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(whole - FrameCodec.AckLength)));
        _bytes.AsSpan(whole, _have - whole).CopyTo(_bytes);
        _have -= whole;
    }
}
