using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>A connection that a peer has made: its hello, then its frames, one after the other, on one thread.</summary>
/// <remarks>
/// The thread also does what the receiver does in <see cref="ITensorReceiver.Arrived"/>: a shard adds up a small slice there, because to hand it to another thread
/// would take longer; large ones it hands to its own thread. So a peer's frames wait for one another, and for nobody else's.
/// </remarks>
internal sealed class IncomingConnection(Socket socket, string peer, TcpContext context, SessionTable sessions, FrameDelivery delivery)
{
    /// <summary>Floats that come without a pause are acknowledged after so many bytes at the latest: their sender wants its buffers back.</summary>
    private const long ReceiptAfter = 8 << 20;

    /// <summary>As many frames are acknowledged together at most.</summary>
    private const int ReceiptAfterFrames = 64;

    /// <summary>
    /// µs for which the receipt of frames without floats waits for another frame, with which it is then sent: nobody waits for it, and each receipt wakes a
    /// thread of the sender.
    /// </summary>
    private const int ReceiptDelay = 2000;

    private readonly SocketReader _reader = new(socket, context.Counters);
    private PeerMemory? _memory;
    private readonly byte[] _receipt = new byte[FrameCodec.AckLength];

    /// <summary>Ends it from outside.</summary>
    public void Break() => SocketEnd.Break(socket);

    /// <summary>Serves the connection to its end.</summary>
    /// <param name="identified">Called when the peer has said who it is.</param>
    public void Run(Action identified)
    {
        IncomingSession? session = null;
        try
        {
            Dialer.Prepare(socket);
            if (Listen() is not { } hello)
                return;
            identified();
            (session, var answer) = sessions.Claim(hello, socket);
            _memory = session is not null ? TryOpenMemory(session, hello) : null;
            Send(Handshake.Write(context.Options.Version, answer with { MemoryNumber = _memory?.Number }));
            if (session is not null)
                Serve(session);
        }
        catch (MalformedException e)
        {
            context.Malformed(peer, e);
        }
        catch (Exception e) when (e is ConnectionEndedException or SocketException or ObjectDisposedException)
        {
            // The peer notices too, and comes again if it has anything left to send.
        }
        finally
        {
            // Gone before the session is let go: nothing that this connection still held can be taken for the next one's.
            SocketEnd.Break(socket);
            session?.Release();
            socket.Dispose();
        }
    }

    /// <summary>Hears the hello. Null where it is one of another version, which is answered here.</summary>
    private Hello? Listen()
    {
        long deadline = Stopwatch.GetTimestamp() + (long)(context.Options.HelloTimeout.TotalSeconds * Stopwatch.Frequency);
        try
        {
            (uint version, int length) = Handshake.ReadPrefix(_reader.Read(Handshake.PrefixLength, deadline).Span);
            if (version == context.Options.Version)
                return Handshake.ReadBody<Hello>(_reader.Read(length, deadline));

            // The caller sees our version in the answer's first bytes, whatever it makes of the rest, and says so on its side.
            _reader.Read(length, deadline);
            Send(Handshake.Write(context.Options.Version, new HelloAnswer(HelloVerdict.Refused, 0, "")));
            context.Report(
                TransportEventKind.PeerRefused, peer,
                $"speaks version {version} of the tensor protocol, this node version {context.Options.Version}. Run the same release on all nodes.");
            return null;
        }
        catch (ConnectionEndedException e) when (!context.IsClosing)
        {
            throw new MalformedException($"{e.Message} before it had said hello");
        }
    }

    private PeerMemory? TryOpenMemory(IncomingSession session, Hello hello) =>
        context.Options.SharesMemory && hello.Memory is { } offer && !session.MemoryFailed && PeerMemory.IsWithinReach(socket) ? PeerMemory.TryOpen(offer) : null;

    private void Serve(IncomingSession session)
    {
        long owed = 0;
        int frames = 0;
        while (true)
        {
            owed += ReadFrame(session);
            frames++;
            if (owed < ReceiptAfter && frames < ReceiptAfterFrames && _reader.HasMore(owed == 0 ? ReceiptDelay : 0))
                continue;
            (owed, frames) = (0, 0);
            BinaryPrimitives.WriteInt64LittleEndian(_receipt, session.Received);
            Send(_receipt);
        }
    }

    /// <summary>Takes a frame, or refuses it and skips its floats.</summary>
    /// <returns>Bytes of its floats.</returns>
    private long ReadFrame(IncomingSession session)
    {
        (int headerLength, long sequence, int floats) = FrameCodec.ReadPrefix(_reader.Read(FrameCodec.PrefixLength).Span);
        if (sequence != session.Received + 1)
            throw new MalformedException($"sent frame {sequence} where {session.Received + 1} was due");
        (string job, string part, var header) = FrameCodec.ReadHeader(_reader.Read(headerLength));

        ulong? address = _memory is not null && FrameCodec.GoesByAddress(floats) ? BinaryPrimitives.ReadUInt64LittleEndian(_reader.Read(FrameCodec.AddressLength).Span) : null;

        session.Held ??= delivery.Accept(job, part, header, floats);
        if (session.Held is { } held)
        {
            if (held.Values.Length != floats || !held.Header.Equals(header))
                throw new MalformedException($"sent another frame {sequence} than before");
            if (address is { } place)
                TakeFloats(session, place, held.Values.Span);
            else
                _reader.ReadInto(held.Values.Span);
            session.Received = sequence;
            session.Held = null;
            context.Counters.FramesReceived.Add(1);
            delivery.Arrived(held);
        }
        else
        {
            if (address is null)
                _reader.Skip((long)floats * sizeof(float));
            session.Received = sequence;
            context.Counters.FramesReceived.Add(1);
            context.Counters.FramesRefused.Add(1);
        }

        return (long)floats * sizeof(float);
    }

    private void TakeFloats(IncomingSession session, ulong address, Span<float> floats)
    {
        try
        {
            _memory!.Read(address, floats);
            context.Counters.BytesTaken.Add((long)floats.Length * sizeof(float));
        }
        catch (IOException e)
        {
            session.MemoryFailed = true;
            context.Report(TransportEventKind.MemoryUnreadable, session.Endpoint, $"has memory that cannot be read any more ({e.Message}); its floats come through the socket");
            throw new ConnectionEndedException("has memory that cannot be read");
        }
    }

    private void Send(byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            int count = socket.Send(bytes.AsSpan(sent), SocketFlags.None, out var error);
            if (error is not SocketError.Success)
                throw new ConnectionEndedException($"broke ({error})");
            sent += count;
        }
    }
}
