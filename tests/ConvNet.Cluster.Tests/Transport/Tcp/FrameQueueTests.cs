using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

public sealed class FrameQueueTests
{
    private readonly FrameQueue _queue = new();

    [Fact]
    public void A_frame_leaves_when_it_is_written_and_acknowledged()
    {
        Add(2);
        Assert.Null(_queue.Written());

        Assert.True(_queue.TryAcknowledge(1, out var released));

        Assert.Equal([1], Numbers(released));
        Assert.Equal(1, _queue.Count);
        Assert.Equal(2, _queue.Next!.Sequence);
    }

    [Fact]
    public void A_frame_that_is_acknowledged_while_its_writer_still_looks_at_it_stays_until_he_has_done()
    {
        Add(1);

        Assert.True(_queue.TryAcknowledge(1, out var released));
        Assert.Null(released);

        Assert.Equal([1], Numbers(_queue.Written()));
        Assert.True(_queue.IsEmpty);
    }

    [Fact]
    public void What_was_not_begun_cannot_be_acknowledged_and_nothing_twice_less()
    {
        Add(3);
        _queue.Written();

        Assert.False(_queue.TryAcknowledge(3, out _));
        Assert.True(_queue.TryAcknowledge(1, out _));
        Assert.False(_queue.TryAcknowledge(0, out _));
    }

    [Fact]
    public void On_a_new_connection_all_that_is_not_acknowledged_is_written_again()
    {
        Add(4);
        _queue.Written();
        _queue.Written();
        _queue.Written();
        _queue.TryAcknowledge(2, out _);

        _queue.Rewind();

        Assert.Equal(3, _queue.Next!.Sequence);
        Add(1);
        _queue.Written();
        _queue.Written();
        Assert.Equal(5, _queue.Next!.Sequence);
    }

    [Fact]
    public void All_can_be_taken_and_the_numbers_go_on()
    {
        Add(2);

        Assert.Equal([1, 2], Numbers(_queue.TakeAll()));

        Assert.True(_queue.IsEmpty);
        Add(1);
        Assert.Equal(3, _queue.Next!.Sequence);
    }

    private static IEnumerable<long> Numbers(OutgoingFrame? chain)
    {
        for (var frame = chain; frame is not null; frame = frame.Next)
            yield return frame.Sequence;
    }

    private void Add(int frames)
    {
        for (int i = 0; i < frames; i++)
        {
            var frame = new OutgoingFrame();
            frame.Fill(new("here:1", "job", "part"), new ContributionHeader(i, 0, 0), TensorLease.Empty);
            _queue.Add(frame);
        }
    }
}
