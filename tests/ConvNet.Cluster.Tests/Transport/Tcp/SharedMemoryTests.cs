using System.Net;
using System.Net.Sockets;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

/// <summary>Floats between processes of one machine are read from the sender's memory, and never where that could go wrong.</summary>
public sealed class SharedMemoryTests
{
    private const int Long = 1_000_000, LongBytes = Long * sizeof(float), Short = 100;

    [SharedMemoryFact]
    public void Long_frames_are_read_from_the_senders_memory_between_short_ones_in_their_order()
    {
        using var pair = new TcpPair(sharesMemory: true);

        for (int step = 0; step < 20; step++)
            pair.Send(step, step % 3 == 0 ? Long : Short);
        for (int step = 0; step < 20; step++)
            pair.Expect(step);

        Assert.Equal(7L * LongBytes, pair.To.Counters.BytesTaken.Value);
        Assert.InRange(pair.From.Counters.BytesSent.Value, 13 * Short * sizeof(float), LongBytes);
        TcpPair.Await(() => pair.Receiver.Mine(Long).Rented == 0);
    }

    [SharedMemoryFact]
    public void A_refused_frame_leaves_its_floats_where_they_are()
    {
        using var pair = new TcpPair(sharesMemory: true);
        pair.From.Send(pair.Target with { Part = "nobody" }, new ContributionHeader(0, 0, 0), pair.Receiver.Mine(Long).Rent());
        pair.Send(1, Long);

        pair.Expect(1);
        Assert.Equal(1, pair.To.Refused);
        Assert.Equal(LongBytes, pair.To.Counters.BytesTaken.Value);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Floats_go_through_the_socket_where_one_side_does_not_share(bool sender, bool receiver)
    {
        using var pair = new TcpPair(to: new() { SharesMemory = receiver }, sharesMemory: sender);
        pair.Send(0, Long);

        pair.Expect(0);
        Assert.Equal(0, pair.To.Counters.BytesTaken.Value);
        Assert.True(pair.From.Counters.BytesSent.Value > LongBytes);
    }

    [SharedMemoryFact]
    public void What_is_read_after_the_sender_gave_it_up_is_not_believed()
    {
        using var floats = TensorLease.Allocate(Short);
        floats.Span.Fill(3);
        var offered = new OfferedMemory();
        var memory = PeerMemory.TryOpen(offered.Offer);
        Assert.NotNull(memory);
        float[] read = new float[Short];

        Assert.Throws<ConnectionEndedException>(() => memory.Read(AddressOf(floats), read));   // whoever made the offer has not written the number yet
        offered.Mark(memory.Number);
        memory.Read(AddressOf(floats), read);
        Assert.Equal(Short, read.AsSpan().Count(3f));

        offered.Withdraw();
        var refused = Assert.Throws<ConnectionEndedException>(() => memory.Read(AddressOf(floats), read));
        Assert.Contains("given up", refused.Message, StringComparison.Ordinal);
        Assert.Null(PeerMemory.TryOpen(offered.Offer));
    }

    [SharedMemoryFact]
    public void A_node_whose_link_is_told_to_end_withdraws_what_it_offered()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        string peer = $"127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}";
        using var from = new TcpTransport(new());
        using var pool = new TensorPool(Long);
        from.Send(new(peer, "job", "part"), new ContributionHeader(0, 0, 0), pool.Rent());
        using var caller = listener.Accept();
        var memory = PeerMemory.TryOpen(ReadHello(caller).Memory!);
        Assert.NotNull(memory);
        caller.Send(Handshake.Write(Handshake.Version, new HelloAnswer(HelloVerdict.Welcome, 0, "", memory.Number)));
        float[] read = new float[1];
        using var any = TensorLease.Allocate(1);
        TcpPair.Await(() => CanRead());

        from.Forget(peer);

        TcpPair.Await(() => pool.Rented == 0);
        Assert.False(CanRead());

        bool CanRead()
        {
            try
            {
                memory.Read(AddressOf(any), read);
                return true;
            }
            catch (ConnectionEndedException)
            {
                return false;
            }
        }
    }

    [SharedMemoryFact]
    public void An_offer_that_cannot_be_verified_is_not_taken()
    {
        using var node = new TcpTransport(new());
        var offered = new OfferedMemory();
        var offer = offered.Offer;
        const int NoProcess = int.MaxValue;

        foreach (var wrong in new[] { offer with { Process = NoProcess }, offer with { Word = 8 }, offer with { Number = offer.Number + 1 }, offer with { Process = -1 }, offer with { Number = 0 } })
        {
            using var socket = Connect(node);
            Assert.True(SayHello(socket, wrong, session: 1).MemoryNumber is null, $"{wrong} was taken");
        }

        using var right = Connect(node);
        Assert.NotNull(SayHello(right, offer, session: 2).MemoryNumber);
        GC.KeepAlive(offered);
    }

    [SharedMemoryFact]
    public void Who_repeats_another_ones_offer_gets_nothing_read()
    {
        var receiver = new TcpPair.Recorder();
        using var node = new TcpTransport(new());
        using var open = node.Open(new(node.Endpoint, "job", "part"), receiver);
        using var secret = TensorLease.Allocate(Long);
        var offered = new OfferedMemory();
        using var socket = Connect(node);

        Assert.NotNull(SayHello(socket, offered.Offer, session: 1).MemoryNumber);   // and nobody marks the word with it
        socket.Send([.. Frame(), .. BitConverter.GetBytes(AddressOf(secret))]);

        Assert.Equal(0, socket.Receive(new byte[1]));
        Assert.Empty(receiver.Arrivals);
        GC.KeepAlive(offered);
    }

    [SharedMemoryFact]
    public void Where_floats_cannot_be_read_nothing_is_delivered_and_the_next_connection_brings_them()
    {
        var receiver = new TcpPair.Recorder();
        var events = new TcpPair.EventLog();
        using var node = new TcpTransport(new() { Observer = events.Add });
        using var open = node.Open(new(node.Endpoint, "job", "part"), receiver);
        var offered = new OfferedMemory();

        using (var first = Connect(node))
        {
            Assert.NotNull(SayHello(first, offered.Offer, session: 1).MemoryNumber);
            first.Send([.. Frame(), 8, 0, 0, 0, 0, 0, 0, 0]);   // nothing lies at address 8
            Assert.Equal(0, first.Receive(new byte[1]));
        }

        Assert.Empty(receiver.Arrivals);
        Assert.Contains("its floats come through the socket", events.Await(TransportEventKind.MemoryUnreadable).Text, StringComparison.Ordinal);
        using var second = Connect(node);
        Assert.Null(SayHello(second, offered.Offer, session: 1).MemoryNumber);
        second.Send([.. Frame(), .. new byte[LongBytes]]);

        Assert.True(receiver.Arrivals.TryTake(out var arrived, TcpPair.Patience));
        Assert.Equal(Long, arrived.Values.Length);
        arrived.Values.Dispose();
        Assert.Equal(1, receiver.Accepted);
        GC.KeepAlive(offered);
    }

    /// <summary>The first frame of a session, up to where its floats or their address begin.</summary>
    private static byte[] Frame()
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        FrameCodec.WriteHeader(bytes, new("", "job", "part"), new ContributionHeader(4, 0, 0));
        byte[] prefix = new byte[FrameCodec.PrefixLength];
        FrameCodec.WritePrefix(prefix, bytes.WrittenCount, sequence: 1, Long);
        return [.. prefix, .. bytes.WrittenSpan];
    }

    private static Socket Connect(TcpTransport node)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, node.Port);
        return socket;
    }

    private static HelloAnswer SayHello(Socket socket, MemoryOffer offer, long session)
    {
        socket.Send(Handshake.Write(Handshake.Version, new Hello("convnet", "nowhere:1", Guid.Parse("8c2f5d6e-0000-4000-8000-000000000001"), session, Resumes: false, offer)));
        return Read<HelloAnswer>(socket);
    }

    private static Hello ReadHello(Socket socket) => Read<Hello>(socket);

    private static T Read<T>(Socket socket) where T : class
    {
        byte[] prefix = new byte[Handshake.PrefixLength];
        ReadExactly(socket, prefix);
        byte[] body = new byte[Handshake.ReadPrefix(prefix).BodyLength];
        ReadExactly(socket, body);
        return Handshake.ReadBody<T>(body);
    }

    private static void ReadExactly(Socket socket, byte[] bytes)
    {
        using var stream = new NetworkStream(socket, ownsSocket: false);
        stream.ReadExactly(bytes);
    }

    private static unsafe ulong AddressOf(TensorLease floats)
    {
        fixed (float* start = floats.Span)
            return (ulong)start;
    }
}
