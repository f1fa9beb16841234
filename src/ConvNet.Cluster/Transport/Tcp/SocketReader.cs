using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>Reads from a socket that blocks: small things through a buffer, floats straight into their place.</summary>
internal sealed class SocketReader(Socket socket, TcpCounters counters)
{
    /// <summary>At least a prefix and the longest header; and not so much more that many floats would be copied.</summary>
    private readonly byte[] _buffer = new byte[16 << 10];

    private int _start, _end;

    /// <summary>Whether more has come, or comes within so many µs.</summary>
    public bool HasMore(int wait) => _start < _end || socket.Poll(wait, SelectMode.SelectRead);

    /// <summary>The next bytes, which stay as they are until the next read.</summary>
    /// <exception cref="ConnectionEndedException">They will not come.</exception>
    public ReadOnlyMemory<byte> Read(int count)
    {
        if (_end - _start < count)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            while (_end < count)
                _end += Receive(_buffer.AsSpan(_end));
        }

        _start += count;
        return _buffer.AsMemory(_start - count, count);
    }

    /// <summary>As <see cref="Read(int)"/>, and all of it by a deadline, however slowly it trickles in.</summary>
    /// <param name="count">Bytes to read.</param>
    /// <param name="deadline">A timestamp of <see cref="Stopwatch"/>.</param>
    /// <exception cref="ConnectionEndedException">They have not come.</exception>
    public ReadOnlyMemory<byte> Read(int count, long deadline)
    {
        for (int available = _end - _start; available < count; available = _end - _start)
        {
            double milliseconds = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), deadline).TotalMilliseconds;
            if (milliseconds <= 0)
                throw new ConnectionEndedException("was too slow");
            socket.ReceiveTimeout = (int)Math.Ceiling(milliseconds);
            _end += Receive(_buffer.AsSpan(_end));
        }

        socket.ReceiveTimeout = 0;
        return Read(count);
    }

    /// <summary>Fills a place.</summary>
    /// <exception cref="ConnectionEndedException">The connection has ended before.</exception>
    public void ReadInto(Span<float> floats)
    {
        const int Block = 1 << 28;   // a span of bytes cannot be longer than int.MaxValue
        for (; floats.Length > Block; floats = floats[Block..])
            ReadInto(MemoryMarshal.AsBytes(floats[..Block]));
        ReadInto(MemoryMarshal.AsBytes(floats));
    }

    /// <summary>Reads bytes that nobody wants, through the buffer.</summary>
    /// <exception cref="ConnectionEndedException">The connection has ended before.</exception>
    public void Skip(long bytes)
    {
        while (bytes > 0)
        {
            if (_start == _end)
                (_start, _end) = (0, Receive(_buffer));
            int count = (int)Math.Min(bytes, _end - _start);
            _start += count;
            bytes -= count;
        }
    }

    private void ReadInto(Span<byte> bytes)
    {
        int buffered = Math.Min(bytes.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(bytes);
        _start += buffered;
        for (bytes = bytes[buffered..]; bytes.Length > 0;)
            bytes = bytes[Receive(bytes)..];
    }

    private int Receive(Span<byte> bytes)
    {
        int count;
        SocketError error;
        try
        {
            count = socket.Receive(bytes, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            throw new ConnectionEndedException("was closed here");
        }

        if (error is not SocketError.Success)
            throw new ConnectionEndedException($"broke ({error})");
        if (count == 0)
            throw new ConnectionEndedException("was closed by the peer");
        counters.BytesReceived.Add(count);
        return count;
    }
}
