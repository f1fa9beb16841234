using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

public sealed class ReconnectTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Wherever_connections_are_cut_each_frame_arrives_once_in_order_and_intact(bool sharesMemory)
    {
        // CONVNET_CUTS says how many histories of cuts are tried; more than the default find rarer ones.
        int histories = int.Parse(Environment.GetEnvironmentVariable("CONVNET_CUTS") ?? "12", CultureInfo.InvariantCulture), reconnects = 0;
        for (int seed = 0; seed < histories; seed++)
        {
            // Cuts fall into the hello, its answer, headers, floats and receipts; the seventh connection holds.
            var random = new Random(seed);
            int most = sharesMemory ? 10_000 : 2_000_000;   // there is less to cut where long frames go by address
            var cuts = Enumerable.Range(0, 6).Select(_ => new CuttingProxy.Budget(
                random.Next(3) == 0 ? random.Next(0, 200) : random.Next(0, most),
                random.Next(3) == 0 ? random.Next(1, 100) : long.MaxValue)).ToArray();
            int[] sizes = [.. Enumerable.Range(0, 40).Select(_ => random.Next(4) switch { 0 => 0, 1 => random.Next(1, 300), 2 => random.Next(4000, 5000), _ => random.Next(1, 200_000) })];
            using var pair = new TcpPair(budget: n => n < cuts.Length ? cuts[n] : CuttingProxy.Budget.Endless, sharesMemory: sharesMemory);

            for (int step = 0; step < sizes.Length; step++)
                pair.Send(step, sizes[step]);
            for (int step = 0; step < sizes.Length; step++)
                pair.Expect(step);

            TcpPair.Await(() => pair.From.Waiting == 0);
            Assert.Equal(sizes.Length, pair.Receiver.Accepted);
            Assert.Equal(0, pair.Receiver.Abandonments);
            Assert.Equal(0, pair.From.Counters.FramesDropped.Value);
            Assert.Equal(0, pair.From.Counters.Malformed.Value);
            Assert.Equal(sharesMemory && SharedMemoryFactAttribute.IsAllowed, pair.To.Counters.BytesTaken.Value > 0);
            reconnects += (int)pair.From.Counters.Reconnects.Value;
        }

        Assert.True(reconnects > histories, $"Only {reconnects} connections were cut.");
    }

    [Fact]
    public void A_cut_connection_is_reported_when_it_breaks_and_when_it_is_back()
    {
        using var pair = new TcpPair(budget: n => n == 0 ? new(500_000, long.MaxValue) : CuttingProxy.Budget.Endless);

        pair.Send(0, 1_000_000);

        var lost = pair.FromEvents.Await(TransportEventKind.ConnectionLost);
        Assert.Contains($"{pair.To.Endpoint} is no longer connected", lost.Text, StringComparison.Ordinal);
        pair.FromEvents.Await(TransportEventKind.Reconnected);
        pair.Expect(0);
    }

    [Fact]
    public void A_connection_that_breaks_with_nothing_under_way_is_made_anew_without_a_word()
    {
        using var pair = new TcpPair();
        pair.Send(0, 10);
        pair.Expect(0);
        TcpPair.Await(() => pair.From.Waiting == 0);

        pair.Proxy.IsDown = true;
        pair.Proxy.IsDown = false;
        for (int step = 1; step < 4; step++)
            pair.Send(step, 10);

        for (int step = 1; step < 4; step++)
            pair.Expect(step);
    }

    [Fact]
    public void What_waits_for_a_peer_that_was_restarted_is_dropped_and_what_comes_after_arrives()
    {
        using var pair = new TcpPair();
        pair.Send(0, 10);
        pair.Expect(0);
        TcpPair.Await(() => pair.From.Waiting == 0);

        // The first process dies with one frame in its hands and another in its buffer, and acknowledges neither.
        using var go = new Held(pair);
        pair.Send(1, 10);
        go.Reached.Wait();
        pair.Send(2, 10);
        pair.Proxy.IsDown = true;
        go.Dispose();
        pair.RestartReceiver();
        pair.Proxy.IsDown = false;

        pair.FromEvents.Await(TransportEventKind.PeerRestarted);
        Assert.Equal(2, pair.From.Counters.FramesDropped.Value);
        pair.Send(3, 10);
        pair.ExpectAtLast(3);
    }

    [Fact]
    public void What_waits_for_a_peer_that_cannot_be_reached_is_dropped_and_reported()
    {
        using var closed = new Socket(SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));   // bound, so nobody else takes it, and not listening
        var events = new TcpPair.EventLog();
        using var from = new TcpTransport(new() { PeerTimeout = TimeSpan.FromSeconds(0.3), Observer = events.Add });
        using var pool = new TensorPool(10);
        string peer = $"127.0.0.1:{((IPEndPoint)closed.LocalEndPoint!).Port}";

        from.Send(new(peer, "job", "part"), new ContributionHeader(0, 0, 0), pool.Rent());

        var unreachable = events.Await(TransportEventKind.PeerUnreachable);
        Assert.StartsWith($"{peer} could not be reached for 0.3 s: ", unreachable.Text, StringComparison.Ordinal);
        Assert.EndsWith("; 1 frames dropped", unreachable.Text, StringComparison.Ordinal);
        Assert.Equal(0, pool.Rented);
        Assert.Equal(1, from.Counters.FramesDropped.Value);
    }

    [Fact]
    public void What_waits_for_a_node_that_is_forgotten_is_dropped_at_once()
    {
        using var pair = new TcpPair(from: new() { PeerTimeout = TimeSpan.FromHours(1) });
        pair.Proxy.IsDown = true;
        pair.Send(0, 10);
        pair.Send(1, 1_000_000);
        Assert.Equal(2, pair.From.Waiting);

        pair.From.Forget(pair.Target.Endpoint);

        TcpPair.Await(() => pair.Receiver.Mine(10).Rented == 0 && pair.Receiver.Mine(1_000_000).Rented == 0);
        Assert.Equal(0, pair.From.Waiting);
        pair.Proxy.IsDown = false;
        pair.Send(2, 10);
        pair.Expect(2);
    }

    [Fact]
    public void A_frame_that_has_half_come_from_a_node_that_is_forgotten_is_abandoned()
    {
        using var pair = new TcpPair(from: new() { PeerTimeout = TimeSpan.FromHours(1) }, budget: _ => new(500_000, long.MaxValue));
        pair.Send(0, 1_000_000);
        TcpPair.Await(() => pair.Receiver.Theirs(1_000_000).Rented == 1);   // the sender may lose the connection before the receiver has read the header
        Assert.Equal(0, pair.Receiver.Abandonments);

        pair.Proxy.IsDown = true;
        pair.To.Forget(pair.From.Endpoint);

        TcpPair.Await(() => pair.Receiver.Abandonments == 1);
        Assert.Equal(0, pair.Receiver.Theirs(1_000_000).Rented);
    }

    [Fact]
    public void A_frame_that_has_half_come_is_abandoned_when_its_sender_does_not_come_back()
    {
        using var pair = new TcpPair(
            from: new() { PeerTimeout = TimeSpan.FromHours(1) }, to: new() { PeerTimeout = TimeSpan.FromSeconds(0.1) },
            budget: n => n == 0 ? new(500_000, long.MaxValue) : new(0, 0));

        pair.Send(0, 1_000_000);

        TcpPair.Await(() => pair.Receiver.Abandonments == 1);
        Assert.Equal(0, pair.Receiver.Theirs(1_000_000).Rented);
    }

    [Fact]
    public void A_peer_that_does_not_read_holds_up_nobody_else()
    {
        using var stuck = new TcpPair();
        using var other = new TcpTransport(new());
        var quick = new TcpPair.Recorder();
        using var open = other.Open(new(other.Endpoint, "job", "part"), quick);
        using var go = new Held(stuck);
        const int Frames = 20;
        for (int step = 0; step < Frames; step++)
            stuck.Send(step, 1_000_000);   // 80 MB, more than all socket buffers

        stuck.From.Send(new(other.Endpoint, "job", "part"), new ContributionHeader(7, 0, 0), TensorLease.Empty);

        Assert.True(quick.Arrivals.TryTake(out var arrived, TcpPair.Patience));
        Assert.Equal(new ContributionHeader(7, 0, 0), arrived.Header);
        Assert.True(stuck.From.Waiting > 0);
        go.Dispose();
        for (int step = 0; step < Frames; step++)
            stuck.Expect(step);
    }

    [Fact]
    public void A_peer_that_does_not_answer_is_given_up()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();   // the system takes the connections, nobody reads them: a frozen process
        var events = new TcpPair.EventLog();
        using var from = new TcpTransport(new() { PeerTimeout = TimeSpan.FromSeconds(0.3), Observer = events.Add });
        using var pool = new TensorPool(10);

        from.Send(new($"127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}", "job", "part"), new ContributionHeader(0, 0, 0), pool.Rent());

        Assert.Contains("does not answer", events.Await(TransportEventKind.PeerUnreachable).Text, StringComparison.Ordinal);
        Assert.Equal(0, pool.Rented);
    }

    [Fact]
    public void A_peer_that_takes_nothing_for_too_long_is_called_anew_and_then_given_up()
    {
        using var pair = new TcpPair(from: new() { PeerTimeout = TimeSpan.FromSeconds(1) });
        using var go = new Held(pair);
        for (int step = 0; step < 20; step++)
            pair.Send(step, 1_000_000);

        Assert.Contains("nothing has moved for 1 s", pair.FromEvents.Await(TransportEventKind.ConnectionLost).Text, StringComparison.Ordinal);
        pair.FromEvents.Await(TransportEventKind.PeerUnreachable);

        Assert.Equal(0, pair.Receiver.Mine(1_000_000).Rented);
        go.Dispose();
        pair.Send(20, 10);
        pair.ExpectAtLast(20);
    }

    /// <summary>Holds up the receiver's thread, until it is disposed.</summary>
    private sealed class Held : IDisposable
    {
        private readonly ManualResetEventSlim _go = new();

        public Held(TcpPair pair) => pair.Receiver.Before = _ =>
        {
            Reached.Set();
            _go.Wait();
        };

        public ManualResetEventSlim Reached { get; } = new();

        public void Dispose() => _go.Set();
    }
}
