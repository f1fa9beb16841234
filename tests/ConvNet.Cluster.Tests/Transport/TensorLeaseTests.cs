using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Tests.Transport;

public sealed class TensorLeaseTests
{
    [Fact]
    public void A_buffer_returns_when_its_last_lease_is_disposed()
    {
        using var pool = new TensorPool(16);
        var whole = pool.Rent();
        var part = whole.Slice(4, 8);

        whole.Dispose();
        whole.Dispose();
        Assert.Equal(1, pool.Rented);
        part.Dispose();

        Assert.Equal(0, pool.Rented);
    }

    [Fact]
    public void A_lease_that_was_given_back_cannot_be_read()
    {
        var lease = TensorLease.Allocate(4);
        lease.Dispose();

        Assert.Throws<ObjectDisposedException>(() => lease.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => lease.Slice(0, 1));
    }

    [Fact]
    public void A_part_outside_of_the_lease_is_refused()
    {
        using var lease = TensorLease.Allocate(4);

        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Slice(2, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Slice(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Slice(1, int.MaxValue));
    }

    [Fact]
    public void Leases_may_outlive_their_pool()
    {
        var pool = new TensorPool(4);
        var lease = pool.Rent();
        pool.Dispose();

        lease.Span[3] = 1;
        lease.Dispose();

        Assert.Equal(0, pool.Rented);
        Assert.Throws<ObjectDisposedException>(pool.Rent);
    }
}
