using System.Diagnostics.Metrics;

namespace ConvNet.Cluster.Telemetry;

/// <summary>The meter of everything that a node counts: <c>dotnet-counters monitor --counters ConvNet.Cluster</c> shows it.</summary>
/// <remarks>One for the process, whatever it hosts. Each instrument is with the part that it measures.</remarks>
public static class ClusterMeter
{
    /// <summary>The meter's name.</summary>
    public const string Name = "ConvNet.Cluster";

    /// <summary>The meter.</summary>
    public static Meter Instance { get; } = new(Name, typeof(ClusterMeter).Assembly.GetName().Version?.ToString(3));
}
