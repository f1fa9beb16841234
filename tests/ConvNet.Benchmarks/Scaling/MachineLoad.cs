using System.Globalization;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>How many of the machine's cores were busy, with whatever: what others take is missing in a measurement.</summary>
internal static class MachineLoad
{
    private const double TicksPerSecond = 100;   // USER_HZ

    /// <summary>Seconds of processor time that all processes and the kernel have taken since the start of the machine, and that its host took away.</summary>
    public static double BusySeconds()
    {
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        double[] ticks = [.. fields.Skip(1).Take(8).Select(f => double.Parse(f, CultureInfo.InvariantCulture))];
        const int Idle = 3, WaitingForDisk = 4;
        return (ticks.Sum() - ticks[Idle] - ticks[WaitingForDisk]) / TicksPerSecond;
    }
}
