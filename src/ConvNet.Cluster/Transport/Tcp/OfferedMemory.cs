using System.Runtime.CompilerServices;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>The sender's side of <see cref="PeerMemory"/>: the word by which a peer sees that what it has read was still there.</summary>
internal sealed unsafe class OfferedMemory
{
    // It does not move, and after its link's end nobody trusts it: memory that is used anew does not hold this number.
    private readonly long[] _word = GC.AllocateArray<long>(1, pinned: true);

    public OfferedMemory()
    {
        _word[0] = Random.Shared.NextInt64(1, long.MaxValue);
        Offer = new(Environment.ProcessId, (long)Unsafe.AsPointer(ref _word[0]), _word[0]);
    }

    /// <summary>What a peer is told.</summary>
    public MemoryOffer Offer { get; }

    /// <summary>Sets the word to the number of the offer, for a peer to find before it answers. An older connection's peer believes nothing from then on.</summary>
    public void Renew() => Mark(Offer.Number);

    /// <summary>Sets the word to what the peer wants to find there: it was offered to that peer, and nobody else who was offered it, or heard of it, knows the number.</summary>
    public void Mark(long number) => Volatile.Write(ref _word[0], number);

    /// <summary>To be called before anything is let go that a peer may still be reading: from then on it believes nothing that it reads.</summary>
    public void Withdraw()
    {
        Volatile.Write(ref _word[0], 0);
        Interlocked.MemoryBarrier();
    }
}
