using System.Runtime.InteropServices;

namespace ConvNet.Cluster.Threads;

/// <summary>Asks the system to run a thread at once when it is woken, even where all cores compute, because its turns are brief.</summary>
/// <remarks>
/// Since Linux 6.12 a thread may say how long its turns are, and one with shorter turns that wakes takes the core from one with longer ones. Without that, the thread that
/// brings a step's last gradient may wait 3 ms, as long as a whole step of a small network, until the lane on its core has had its turn. Its share of processor time does not change,
/// and no privilege is needed. It is advice: where the system knows nothing of it, all still works.
/// </remarks>
internal static unsafe partial class BriefTurns
{
    private const ulong Nanoseconds = 100_000;   // the least that the system takes

    /// <summary>Makes the turns of the calling thread brief.</summary>
    public static void Ask()
    {
        if (!OperatingSystem.IsLinux())
            return;
        (nint get, nint set) = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (315, 314),
            Architecture.Arm64 => (275, 274),
            _ => (0, 0),
        };
        if (set == 0)
            return;
        try
        {
            var attributes = new Attributes();
            if (Call(get, 0, &attributes, sizeof(Attributes), 0) != 0)
                return;
            (attributes.Size, attributes.Runtime) = ((uint)sizeof(Attributes), Nanoseconds);
            _ = Call(set, 0, &attributes, 0, 0);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint thread, Attributes* attributes, nint third, nint fourth);

    /// <summary><c>struct sched_attr</c>, in its first version; the first call fills in what is so already.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public uint Size, Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime, Deadline, Period;
    }
}
