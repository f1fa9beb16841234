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
    public void A_closed_target_can_be_opened_again()
    {
        var receiver = new Receiver((_, _) => TensorDestination.HeaderOnly);
        Open(receiver, out var target).Dispose();
        using var open = Open(receiver, out _);

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
