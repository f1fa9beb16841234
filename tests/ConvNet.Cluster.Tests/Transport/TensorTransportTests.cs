using System.Collections.Concurrent;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Tests.Transport;

/// <summary>What every transport keeps to. Each implementation has a class that derives from this one and makes a pair of its own.</summary>
public abstract class TensorTransportTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lazy<(ITensorTransport From, ITensorTransport To)> _pair;

    protected TensorTransportTests() => _pair = new(MakePair);

    /// <summary>A sender and a receiver; they may be one.</summary>
    protected abstract (ITensorTransport From, ITensorTransport To) MakePair();

    [Fact]
    public void A_kept_frame_arrives_with_its_header_and_its_floats()
    {
        using var pool = new TensorPool(3);
        var receiver = new Receiver((_, _) => TensorDestination.Keep(pool));
        using var open = Open(receiver, out var target);

        Send(target, new ContributionHeader(7, 1, 2), [1f, 2f, 3f]);

        var (header, values) = receiver.Next();
        Assert.Equal(new ContributionHeader(7, 1, 2), header);
        Assert.Equal([1f, 2f, 3f], values.Span.ToArray());
        values.Dispose();
    }

    [Fact]
    public void A_frame_is_put_into_the_place_that_the_receiver_names()
    {
        using var replica = TensorLease.Allocate(8);
        var receiver = new Receiver((_, length) => TensorDestination.Into(replica.Slice(2, length)));
        using var open = Open(receiver, out var target);

        Send(target, new WeightsHeader(3, 0), [5f, 6f]);

        receiver.Next().Values.Dispose();
        Assert.Equal([0f, 0f, 5f, 6f, 0f, 0f, 0f, 0f], replica.Span.ToArray());
    }

    [Fact]
    public void A_frame_may_be_a_header_alone()
    {
        var receiver = new Receiver((_, _) => TensorDestination.HeaderOnly);
        using var open = Open(receiver, out var target);

        _pair.Value.From.Send(target, new WeightsRequest(4, target), TensorLease.Empty);

        var (header, values) = receiver.Next();
        Assert.Equal(new WeightsRequest(4, target), header);
        Assert.Equal(0, values.Length);
    }

    [Fact]
    public void Frames_arrive_in_the_order_in_which_they_were_sent()
    {
        using var pool = new TensorPool(1);
        var receiver = new Receiver((_, _) => TensorDestination.Keep(pool));
        using var open = Open(receiver, out var target);

        for (int i = 0; i < 100; i++)
            Send(target, new ContributionHeader(i, 0, 0), [i]);

        for (int i = 0; i < 100; i++)
        {
            var (header, values) = receiver.Next();
            Assert.Equal(new ContributionHeader(i, 0, 0), header);
            Assert.Equal(i, values.Span[0]);
            values.Dispose();
        }
    }

    [Fact]
    public void The_sender_gets_its_buffer_back_when_every_part_of_it_has_been_used()
    {
        using var mine = new TensorPool(4);
        using var theirs = new TensorPool(2);
        var receiver = new Receiver((_, _) => TensorDestination.Keep(theirs));
        using var open = Open(receiver, out var target);

        var whole = mine.Rent();
        whole.Span.Clear();
        _pair.Value.From.Send(target, new ContributionHeader(0, 0, 0), whole.Slice(0, 2));
        _pair.Value.From.Send(target, new ContributionHeader(0, 0, 1), whole.Slice(2, 2));
        whole.Dispose();
        receiver.Next().Values.Dispose();
        receiver.Next().Values.Dispose();

        Assert.True(SpinWait.SpinUntil(() => mine.Rented == 0, Patience));
    }

    [Fact]
    public void A_refused_frame_is_counted_and_harms_nobody()
    {
        using var pool = new TensorPool(1);
        var receiver = new Receiver((h, _) => h is EvaluationHeader ? TensorDestination.Refuse("no evaluations today") : TensorDestination.Keep(pool));
        using var open = Open(receiver, out var target);

        Send(target, new EvaluationHeader(1, 0, 0), [9f]);
        Send(target, new ContributionHeader(1, 0, 0), [8f]);

        Assert.IsType<ContributionHeader>(receiver.Next().Header);
        Assert.Equal(1, _pair.Value.To.Refused);
    }

    [Fact]
    public void A_frame_to_a_target_that_is_not_there_is_dropped()
    {
        using var pool = new TensorPool(1);
        var nowhere = new TensorTarget(_pair.Value.To.Endpoint, "job", "nobody");
        var values = pool.Rent();

        _pair.Value.From.Send(nowhere, new ContributionHeader(0, 0, 0), values);

        Assert.True(SpinWait.SpinUntil(() => pool.Rented == 0 && _pair.Value.To.Refused == 1, Patience));
    }

    [Fact]
    public void Floats_that_do_not_fit_their_destination_are_refused()
    {
        using var pool = new TensorPool(3);
        using var replica = TensorLease.Allocate(8);
        var receiver = new Receiver((header, _) => header switch
        {
            ContributionHeader => TensorDestination.Keep(pool),
            WeightsHeader => TensorDestination.Into(replica.Slice(0, 5)),
            _ => TensorDestination.HeaderOnly,
        });
        using var open = Open(receiver, out var target);

        Send(target, new ContributionHeader(0, 0, 0), [1f, 2f]);
        Send(target, new WeightsHeader(0, 0), [1f, 2f, 3f, 4f]);
        Send(target, new WeightsRequest(0, target), [1f]);
        Send(target, new ContributionHeader(1, 0, 0), [1f, 2f, 3f]);

        var (header, values) = receiver.Next();
        Assert.Equal(new ContributionHeader(1, 0, 0), header);
        Assert.Equal(3, _pair.Value.To.Refused);
        Assert.All(replica.Span.ToArray(), f => Assert.Equal(0f, f));
        values.Dispose();
        Assert.Equal(0, pool.Rented);
    }

    [Fact]
    public void Frames_of_every_size_arrive_intact_and_all_buffers_come_back()
    {
        using var mine = new TensorPool(1 << 20);
        int[] lengths = [.. Enumerable.Range(0, 20), 4085, 4086, 4096, 16384, 65536, 65537, 1 << 20];
        var pools = lengths.ToDictionary(l => l, l => new TensorPool(l));
        var receiver = new Receiver((_, length) => TensorDestination.Keep(pools[length]));
        using var open = Open(receiver, out var target);

        for (int i = 0; i < lengths.Length; i++)
        {
            using var whole = mine.Rent();
            for (int f = 0; f < lengths[i]; f++)
                whole.Span[f] = i + f;
            _pair.Value.From.Send(target, new ContributionHeader(i, 0, 0), whole.Slice(0, lengths[i]));
        }

        for (int i = 0; i < lengths.Length; i++)
        {
            var (header, values) = receiver.Next();
            Assert.Equal(new ContributionHeader(i, 0, 0), header);
            Assert.Equal(lengths[i], values.Length);
            Assert.Equal(values.Length, Enumerable.Range(0, values.Length).Count(f => values.Span[f] == i + f));
            values.Dispose();
        }

        Assert.True(SpinWait.SpinUntil(() => mine.Rented == 0, Patience));
        Assert.All(pools.Values, pool => Assert.Equal(0, pool.Rented));
        Assert.Equal(0, _pair.Value.To.Refused);
    }

    [Fact]
    public void Frames_of_many_senders_to_many_targets_keep_their_order()
    {
        const int Targets = 4, Frames = 200;
        using var mine = new TensorPool(300);
        using var theirs = new TensorPool(300);
        var receivers = Enumerable.Range(0, Targets).Select(_ => new Receiver((_, _) => TensorDestination.Keep(theirs))).ToArray();
        var targets = receivers.Select((_, i) => new TensorTarget(_pair.Value.To.Endpoint, "job", $"part-{i}")).ToArray();
        var opened = receivers.Select((receiver, i) => _pair.Value.To.Open(targets[i], receiver)).ToArray();

        var senders = targets.Select(target => new Thread(() =>
        {
            for (int i = 0; i < Frames; i++)
                _pair.Value.From.Send(target, new ContributionHeader(i, 0, 0), mine.Rent());
        })).ToArray();
        Array.ForEach(senders, s => s.Start());

        foreach (var receiver in receivers)
        {
            for (int i = 0; i < Frames; i++)
            {
                var (header, values) = receiver.Next();
                Assert.Equal(new ContributionHeader(i, 0, 0), header);
                values.Dispose();
            }
        }

        Array.ForEach(senders, s => s.Join());
        Array.ForEach(opened, o => o.Dispose());
        Assert.True(SpinWait.SpinUntil(() => mine.Rented == 0, Patience));
    }

    [Fact]
    public void A_pool_that_has_just_been_closed_refuses()
    {
        var pool = new TensorPool(1);
        var receiver = new Receiver((header, _) => header is ContributionHeader ? TensorDestination.Keep(pool) : TensorDestination.HeaderOnly);
        using var open = Open(receiver, out var target);
        pool.Dispose();

        Send(target, new ContributionHeader(0, 0, 0), [1f]);
        _pair.Value.From.Send(target, new WeightsRequest(1, target), TensorLease.Empty);

        // Where the buffer itself is handed over, no pool is needed and the frame arrives; else it is refused. The next one arrives either way.
        var (header, values) = receiver.Next();
        values.Dispose();
        if (header is ContributionHeader)
            header = receiver.Next().Header;
        Assert.IsType<WeightsRequest>(header);
    }

    [Fact]
    public void Who_is_forgotten_can_be_written_to_again()
    {
        var receiver = new Receiver((_, _) => TensorDestination.HeaderOnly);
        using var open = Open(receiver, out var target);
        _pair.Value.From.Send(target, new WeightsRequest(0, target), TensorLease.Empty);
        receiver.Next();

        _pair.Value.From.Forget(target.Endpoint);
        _pair.Value.From.Send(target, new WeightsRequest(1, target), TensorLease.Empty);

        Assert.Equal(new WeightsRequest(1, target), receiver.Next().Header);
    }

    [Fact]
    public void A_target_that_was_closed_gets_nothing()
    {
        var receiver = new Receiver((_, _) => TensorDestination.HeaderOnly);
        Open(receiver, out var target).Dispose();

        _pair.Value.From.Send(target, new WeightsRequest(0, target), TensorLease.Empty);

        Assert.True(SpinWait.SpinUntil(() => _pair.Value.To.Refused == 1, Patience));
    }

    [Fact]
    public void A_closed_target_can_be_opened_again()
    {
        var receiver = new Receiver((_, _) => TensorDestination.HeaderOnly);
        var first = Open(receiver, out var target);
        first.Dispose();
        using var open = Open(receiver, out _);
        first.Dispose();   // closes nothing a second time

        Assert.Throws<InvalidOperationException>(() => Open(receiver, out _));
        _pair.Value.From.Send(target, new WeightsRequest(0, target), TensorLease.Empty);

        Assert.IsType<WeightsRequest>(receiver.Next().Header);
    }

    public void Dispose()
    {
        if (_pair.IsValueCreated)
        {
            _pair.Value.From.Dispose();
            _pair.Value.To.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    private IDisposable Open(ITensorReceiver receiver, out TensorTarget target)
    {
        target = new(_pair.Value.To.Endpoint, "job", "part");
        return _pair.Value.To.Open(target, receiver);
    }

    private void Send(TensorTarget target, ITensorHeader header, float[] values)
    {
        var lease = TensorLease.Allocate(values.Length);
        values.CopyTo(lease.Span);
        _pair.Value.From.Send(target, header, lease);
    }

    private sealed class Receiver(Func<ITensorHeader, int, TensorDestination> accept) : ITensorReceiver
    {
        private readonly BlockingCollection<(ITensorHeader Header, TensorLease Values)> _arrived = [];

        public TensorDestination Accept(ITensorHeader header, int length) => accept(header, length);

        public void Arrived(ITensorHeader header, TensorLease values) => _arrived.Add((header, values));

        public void Abandoned(ITensorHeader header) => throw new InvalidOperationException($"{header} was abandoned.");

        public (ITensorHeader Header, TensorLease Values) Next()
        {
            Assert.True(_arrived.TryTake(out var next, Patience), "Nothing arrived.");
            return next;
        }
    }
}

/// <summary>The transport within a process keeps to it.</summary>
public sealed class InProcessTransportTests : TensorTransportTests
{
    protected override (ITensorTransport From, ITensorTransport To) MakePair()
    {
        var transport = new InProcessTransport();
        return (transport, transport);
    }
}
