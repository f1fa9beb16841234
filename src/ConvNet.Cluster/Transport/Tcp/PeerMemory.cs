using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>Takes floats straight from the memory of a peer on the same machine: one copy, by the kernel, instead of two and a socket's bookkeeping between them.</summary>
/// <remarks>
/// <para>A frame then has, in place of its floats, the address at which they lie in the sender's process. Whoever receives it copies them from there with
/// <c>process_vm_readv(2)</c>, and the sender keeps them until the receipt, as it does anyway. Linux lets processes of one user do so, unless
/// <c>kernel.yama.ptrace_scope</c> or a container forbids it; whether it does is tried in the hello, and where it does not, floats come through the socket.</para>
/// <para><b>Floats that the sender gives up</b> (its link has ended) may be overwritten while they are copied. So each link has a word in its memory, and clears it
/// <em>before</em> it lets go of a frame. The word is read after the floats: if it still is the right number, they were whole. In the hello that is the number of the
/// <see cref="MemoryOffer"/>, from then on one that the reader has made up, and told nobody but the caller: so whoever repeats another's offer cannot have
/// its memory read. The same tells a process from another one that got its number later.</para>
/// </remarks>
internal sealed unsafe partial class PeerMemory
{
    private const long MostAtOnce = 64 << 20;
    private const string GivenUp = "they were given up";

    private readonly MemoryOffer _offer;
    private readonly long _number = Random.Shared.NextInt64(1, long.MaxValue);

    private PeerMemory(MemoryOffer offer) => _offer = offer;

    /// <summary>What the peer is to write to its word.</summary>
    public long Number => _number;

    /// <summary>Whether both ends of a connection are one machine's: then they have the same address.</summary>
    public static bool IsWithinReach(Socket socket) =>
        OperatingSystem.IsLinux() && socket.LocalEndPoint is IPEndPoint local && socket.RemoteEndPoint is IPEndPoint remote && local.Address.Equals(remote.Address);

    /// <summary>The memory of the process that offers it, or null where it cannot be read, or is not that process.</summary>
    public static PeerMemory? TryOpen(MemoryOffer offer)
    {
        var memory = new PeerMemory(offer);
        return offer.Number != 0 && memory.HasWord(offer.Number, out _) ? memory : null;
    }

    /// <summary>Copies floats from an address of the peer.</summary>
    /// <exception cref="ConnectionEndedException">They were given up: nothing in <paramref name="floats"/> is to be used.</exception>
    /// <exception cref="IOException">They cannot be read; the same.</exception>
    public void Read(ulong address, Span<float> floats)
    {
        string? trouble = null;
        fixed (float* start = floats)
        {
            var bytes = (byte*)start;
            long length = (long)floats.Length * sizeof(float);
            for (long done = 0; done < length && trouble is null;)
                done += Copy(address + (ulong)done, bytes + done, Math.Min(length - done, MostAtOnce), out trouble);
        }

        if (trouble is not null || !HasWord(_number, out trouble))
            throw trouble == GivenUp ? new ConnectionEndedException("has given up the floats that were being read") : new IOException(trouble);
    }

    private bool HasWord(long number, out string? trouble)
    {
        long word = 0;
        for (int done = 0; done < sizeof(long);)
        {
            done += (int)Copy((ulong)_offer.Word + (ulong)done, (byte*)&word + done, sizeof(long) - done, out trouble);
            if (trouble is not null)
                return false;
        }

        trouble = word == number ? null : GivenUp;
        return trouble is null;
    }

    private long Copy(ulong from, byte* to, long length, out string? trouble)
    {
        var local = new Range((ulong)to, (ulong)length);
        var remote = new Range(from, (ulong)length);
        try
        {
            long count = ReadProcess(_offer.Process, &local, 1, &remote, 1, 0);
            trouble = count > 0 ? null : Marshal.GetLastPInvokeErrorMessage();
            return Math.Max(0, count);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            trouble = e.Message;
            return 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    private static partial nint ReadProcess(int process, Range* local, nuint localCount, Range* remote, nuint remoteCount, nuint flags);

    /// <summary><c>struct iovec</c>.</summary>
    private readonly record struct Range(ulong Start, ulong Length);
}
