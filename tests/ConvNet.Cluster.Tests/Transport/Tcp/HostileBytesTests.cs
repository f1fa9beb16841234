using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Telemetry;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

/// <summary>Whatever comes to the port, the node runs on, counts it, and serves those who keep to the protocol.</summary>
public sealed class HostileBytesTests : IDisposable
{
    private static readonly byte[] Header = HeaderBytes("job", "part", new ContributionHeader(0, 0, 0));

    private readonly TcpPair.EventLog _events = new();
    private readonly TcpPair.Recorder _receiver = new();
    private TcpTransport _node;
    private TensorTarget _target = null!;

    public HostileBytesTests() => _node = Start(new());

    public static TheoryData<string, byte[]> Nonsense() => new()
    {
        { "words of another protocol", "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"u8.ToArray() },
        { "noise", [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 37 + i / 11))] },
        { "an absurd hello", [.. "CNVT"u8, (byte)Handshake.Version, 0, 0, 0, 0xff, 0xff, 0xff, 0xff] },
        { "a hello that is cut short", SayHello()[..20] },
        { "a hello of noise", [.. "CNVT"u8, (byte)Handshake.Version, 0, 0, 0, 4, 0, 0, 0, 0xc1, 0xc1, 0xc1, 0xc1] },
        { "noise after the hello", [.. SayHello(), .. Enumerable.Range(0, 500).Select(i => (byte)(i * 91))] },
        { "an absurd header length", [.. SayHello(), .. Prefix(int.MaxValue, 1, 0)] },
        { "a negative header length", [.. SayHello(), .. Prefix(-1, 1, 0)] },
        { "an absurd number of floats", [.. SayHello(), .. Prefix(Header.Length, 1, long.MaxValue), .. Header] },
        { "a frame out of turn", [.. SayHello(), .. Prefix(Header.Length, 7, 0), .. Header] },
        { "a header of noise", [.. SayHello(), .. Prefix(4, 1, 0), 0xc1, 0xc1, 0xc1, 0xc1] },
        { "a header without a place", [.. SayHello(), .. Prefix(4, 1, 0), 0x93, 0xc0, 0xc0, 0xc0] },
        { "a header that is nested without end", [.. SayHello(), .. Prefix(4000, 1, 0), .. Enumerable.Repeat((byte)0x93, 4000)] },
        { "a header with something behind it", [.. SayHello(), .. Prefix(Header.Length + 1, 1, 0), .. Header, 0] },
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public void Nonsense_is_counted_and_ends_its_connection_only(string what, byte[] bytes)
    {
        long measured = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter == ClusterMeter.Instance && instrument.Name == "convnet.tensor.connections.malformed")
                    l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, more, _, _) => Interlocked.Add(ref measured, more));
        listener.Start();

        using (var socket = Connect())
        {
            socket.Send(bytes);
            socket.Shutdown(SocketShutdown.Send);
            ReadToEnd(socket);
        }

        TcpPair.Await(() => _node.Counters.Malformed.Value == 1);
        Assert.Equal(1, measured);
        Assert.True(_events.Await(TransportEventKind.Malformed).Text.Length > 0, what);
        Assert.Equal(0, _receiver.Accepted);
        AssertServes();
    }

    [Fact]
    public void A_frame_that_is_cut_short_allocates_what_its_receiver_said_and_nothing_is_left_of_it()
    {
        using (var socket = Connect())
        {
            socket.Send([.. SayHello(), .. Prefix(Header.Length, 1, 1000), .. Header, 1, 2, 3]);
            TcpPair.Await(() => _receiver.Theirs(1000).Rented == 1);
        }

        _node.Forget("nowhere:1");

        TcpPair.Await(() => _receiver.Abandonments == 1);
        Assert.Equal(0, _receiver.Theirs(1000).Rented);
        AssertServes();
    }

    [Fact]
    public void Two_billion_floats_that_are_announced_to_nobody_are_not_waited_for_in_memory()
    {
        byte[] header = HeaderBytes("job", "nobody", new ContributionHeader(0, 0, 0));
        using var socket = Connect();
        long before = Environment.WorkingSet;

        socket.Send([.. SayHello(), .. Prefix(header.Length, 1, int.MaxValue), .. header]);
        socket.Send(new byte[1 << 20]);
        TcpPair.Await(() => _node.Counters.BytesReceived.Value > 1 << 20);

        Assert.True(Environment.WorkingSet - before < 1L << 30);
        AssertServes();
    }

    [Fact]
    public void A_kind_of_header_that_is_not_known_is_refused_and_its_floats_are_skipped()
    {
        byte[] unknown = [0x93, 0xa3, .. "job"u8, 0xa4, .. "part"u8, 0x92, 0x7f, 0x90];   // ["job", "part", [127, []]]
        using var socket = Connect();

        socket.Send([.. SayHello(), .. Prefix(unknown.Length, 1, 3), .. unknown, .. new byte[12], .. Prefix(Header.Length, 2, 1), .. Header, 0, 0, 0, 0]);

        Assert.True(_receiver.Arrivals.TryTake(out var arrived, TcpPair.Patience));
        arrived.Values.Dispose();
        Assert.Equal(1, _node.Refused);
        Assert.Equal(0, _node.Counters.Malformed.Value);
    }

    [Fact]
    public void A_hello_that_trickles_in_is_not_waited_for()
    {
        Restart(new() { HelloTimeout = TimeSpan.FromSeconds(0.2) });
        using var silent = Connect();
        using var slow = Connect();
        byte[] hello = SayHello();

        int sent = 0;
        while (_node.Counters.Malformed.Value < 2 && sent < hello.Length - 1)
        {
            slow.Send(hello, sent++, 1, SocketFlags.None, out _);   // each byte comes in time, all of them do not
            silent.Poll(20_000, SelectMode.SelectRead);
        }

        TcpPair.Await(() => _node.Counters.Malformed.Value == 2);
        ReadToEnd(silent);
        AssertServes();
    }

    [Fact]
    public void A_flood_of_connections_is_turned_away_and_passes()
    {
        Restart(new() { MaxUnidentified = 16, PeerTimeout = TimeSpan.FromSeconds(20) });
        var flood = Enumerable.Range(0, 500).Select(_ => Connect()).ToList();

        TcpPair.Await(() => _node.Counters.TurnedAway.Value == 500 - 16);
        Assert.Contains("turned", _events.Await(TransportEventKind.TurnedAway).Text, StringComparison.Ordinal);
        flood.ForEach(socket => socket.Dispose());

        AssertServes();
    }

    [Fact]
    public void Receipts_for_frames_that_were_never_sent_end_the_connection()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        string peer = $"127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}";
        _node.Send(new(peer, "job", "part"), new ContributionHeader(0, 0, 0), TensorLease.Empty);

        using var caller = listener.Accept();
        caller.Receive(new byte[4096]);
        caller.Send(Handshake.Write(Handshake.Version, new HelloAnswer(HelloVerdict.Welcome, 0, "")));
        caller.Send([0xff, 0xff, 0, 0, 0, 0, 0, 0]);

        Assert.Contains("acknowledged frame 65535", _events.Await(TransportEventKind.Malformed).Text, StringComparison.Ordinal);
        _node.Forget(peer);
        AssertServes();
    }

    [Fact]
    public void Peers_of_another_version_are_refused_by_both_sides_with_both_versions_and_not_called_again()
    {
        var events = new TcpPair.EventLog();
        using var pool = new TensorPool(10);
        using var newer = new TcpTransport(new() { Version = Handshake.Version + 1, Observer = events.Add });

        newer.Send(_target, new ContributionHeader(0, 0, 0), pool.Rent());

        const uint Ours = Handshake.Version, Newer = Ours + 1;
        Assert.Contains($"speaks version {Ours} of the tensor protocol, this node version {Newer}", events.Await(TransportEventKind.PeerRefused).Text, StringComparison.Ordinal);
        Assert.Contains($"speaks version {Newer} of the tensor protocol, this node version {Ours}", _events.Await(TransportEventKind.PeerRefused).Text, StringComparison.Ordinal);
        newer.Send(_target, new ContributionHeader(1, 0, 0), pool.Rent());
        TcpPair.Await(() => pool.Rented == 0 && newer.Counters.FramesDropped.Value == 2);
        Assert.Equal(0, _events.Count(TransportEventKind.PeerRefused));
        Assert.Equal(0, _receiver.Accepted);
    }

    [Fact]
    public void Peers_of_another_cluster_are_refused_with_both_names()
    {
        var events = new TcpPair.EventLog();
        using var stranger = new TcpTransport(new() { Cluster = "elsewhere", Observer = events.Add });

        stranger.Send(_target, new ContributionHeader(0, 0, 0), TensorLease.Empty);

        string text = events.Await(TransportEventKind.PeerRefused).Text;
        Assert.Contains("cluster 'convnet'", text, StringComparison.Ordinal);
        Assert.Contains("'elsewhere'", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_receiver_that_throws_is_reported_and_holds_up_nobody()
    {
        using var open = _node.Open(_target with { Part = "broken" }, new Broken());
        using var from = new TcpTransport(new());

        from.Send(_target with { Part = "broken" }, new ContributionHeader(0, 0, 0), TensorLease.Empty);

        Assert.Contains("out of order", _events.Await(TransportEventKind.ReceiverFailed).Text, StringComparison.Ordinal);
        from.Send(_target, new ContributionHeader(1, 0, 0), TensorLease.Empty);
        Assert.True(_receiver.Arrivals.TryTake(out var arrived, TcpPair.Patience));
        arrived.Values.Dispose();
    }

    public void Dispose()
    {
        _node.Dispose();
        _receiver.AssertNothingIsOut();
    }

    private static byte[] SayHello() =>
        Handshake.Write(Handshake.Version, new Hello("convnet", "nowhere:1", Guid.Parse("8c2f5d6e-0000-4000-8000-000000000001"), 1, Resumes: false));

    private static byte[] Prefix(int headerLength, long sequence, long floats)
    {
        byte[] prefix = new byte[FrameCodec.PrefixLength];
        "CNVF"u8.CopyTo(prefix);
        BinaryPrimitives.WriteInt32LittleEndian(prefix.AsSpan(4), headerLength);
        BinaryPrimitives.WriteInt64LittleEndian(prefix.AsSpan(8), sequence);
        BinaryPrimitives.WriteInt64LittleEndian(prefix.AsSpan(16), floats);
        return prefix;
    }

    private static byte[] HeaderBytes(string job, string part, ITensorHeader header)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        FrameCodec.WriteHeader(bytes, new("", job, part), header);
        return bytes.WrittenSpan.ToArray();
    }

    private static void ReadToEnd(Socket socket)
    {
        byte[] buffer = new byte[4096];
        while (socket.Receive(buffer, 0, buffer.Length, SocketFlags.None, out var error) > 0 && error == SocketError.Success)
        {
        }
    }

    private TcpTransport Start(TcpTransportOptions options)
    {
        var node = new TcpTransport(options with { Observer = _events.Add });
        _target = new(node.Endpoint, "job", "part");
        node.Open(_target, _receiver);
        return node;
    }

    private void Restart(TcpTransportOptions options)
    {
        _node.Dispose();
        _node = Start(options);
    }

    private Socket Connect()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, _node.Port);
        return socket;
    }

    private void AssertServes()
    {
        using var from = new TcpTransport(new() { PeerTimeout = TcpPair.Patience });
        from.Send(_target, new ContributionHeader(5, 0, 0), TensorLease.Allocate(3));
        Assert.True(_receiver.Arrivals.TryTake(out var arrived, TcpPair.Patience), "The node does not serve any more.");
        Assert.Equal(new ContributionHeader(5, 0, 0), arrived.Header);
        arrived.Values.Dispose();
    }

    private sealed class Broken : ITensorReceiver
    {
        public TensorDestination Accept(ITensorHeader header, int length) => throw new InvalidOperationException("out of order");

        public void Arrived(ITensorHeader header, TensorLease values)
        {
        }

        public void Abandoned(ITensorHeader header)
        {
        }
    }
}
