using System.Diagnostics;
using System.Globalization;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>A machine of its own on this one: a network namespace with an address.</summary>
/// <param name="Name">Of the namespace.</param>
/// <param name="Link">Its cable's end at the switch.</param>
/// <param name="Address">Its address.</param>
public sealed record Machine(string Name, string Link, string Address)
{
    /// <summary>What goes before a command that is to run there.</summary>
    public string[] Enter => ["ip", "netns", "exec", Name];
}

/// <summary>Machines on this one, joined by a switch: network namespaces, a bridge, and cables that can be cut. Needs root and iproute2.</summary>
public sealed class Namespaces : IDisposable
{
    private static int _made;

    private readonly string _prefix, _subnet;
    private readonly List<Machine> _machines = [];

    public Namespaces()
    {
        // Never the names or the addresses of another: not even of one that was left behind by a test that was killed.
        int number = Interlocked.Increment(ref _made), key = ((Environment.ProcessId * 31) + number) % 12_500;
        _prefix = string.Create(CultureInfo.InvariantCulture, $"cn{Environment.ProcessId % 10_000}{(char)('a' + (number % 26))}");
        _subnet = string.Create(CultureInfo.InvariantCulture, $"10.{200 + (key % 50)}.{key / 50}");
        Run("link", "add", Bridge, "type", "bridge");
        Run("addr", "add", $"{_subnet}.1/24", "dev", Bridge);
        Run("link", "set", Bridge, "up");
    }

    /// <summary>Why there can be none here; null where there can.</summary>
    public static string? Missing { get; } = FindMissing();

    private string Bridge => $"{_prefix}br";

    /// <summary>Adds a machine.</summary>
    public Machine Add()
    {
        lock (_machines)
        {
            int number = _machines.Count + 10;
            var machine = new Machine($"{_prefix}n{number}", $"{_prefix}l{number}", $"{_subnet}.{number}");
            _machines.Add(machine);
            Run("netns", "add", machine.Name);
            Run("link", "add", machine.Link, "type", "veth", "peer", "name", "eth0", "netns", machine.Name);
            Run("link", "set", machine.Link, "master", Bridge, "up");
            Run("-n", machine.Name, "addr", "add", $"{machine.Address}/24", "dev", "eth0");
            Run("-n", machine.Name, "link", "set", "eth0", "up");
            Run("-n", machine.Name, "link", "set", "lo", "up");
            return machine;
        }
    }

    /// <summary>Pulls a machine's cable.</summary>
    public static void Cut(Machine machine) => Run("link", "set", machine.Link, "down");

    /// <summary>Plugs it in again.</summary>
    public static void Mend(Machine machine) => Run("link", "set", machine.Link, "up");

    public void Dispose()
    {
        foreach (var machine in _machines)
            Run("netns", "del", machine.Name);
        Run("link", "del", Bridge);
    }

    private static string? FindMissing()
    {
        try
        {
            string probe = $"cnprobe{Environment.ProcessId}";
            Run("netns", "add", probe);
            Run("netns", "del", probe);
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"needs root and 'ip netns' (iproute2): {e.Message.Trim()}";
        }
    }

    private static void Run(params string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        string error = ip.StandardError.ReadToEnd();
        ip.WaitForExit();
        if (ip.ExitCode != 0)
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {error}");
    }
}

/// <summary>A test across network namespaces; reports itself as skipped, with the reason, where there can be none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NamespacesFactAttribute : FactAttribute
{
    public NamespacesFactAttribute() => Skip = Namespaces.Missing;
}
