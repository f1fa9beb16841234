using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

/// <summary>A test that needs a system which lets a process read another one's memory: Linux, unless a sandbox forbids it. Elsewhere floats go through the socket.</summary>
internal sealed class SharedMemoryFactAttribute : FactAttribute
{
    public SharedMemoryFactAttribute() => Skip = IsAllowed ? null! : "this system does not let a process read another one's memory";

    public static bool IsAllowed { get; } = Try();

    private static bool Try()
    {
        var offered = new OfferedMemory();
        bool allowed = OperatingSystem.IsLinux() && PeerMemory.TryOpen(offered.Offer) is not null;
        GC.KeepAlive(offered);
        return allowed;
    }
}
