using Akka.Configuration;

namespace ConvNet.Cluster.Hosting;

/// <summary>The settings of Akka that every node shares.</summary>
public static class ClusterConfig
{
    /// <summary>The file <c>cluster.conf</c> in this assembly.</summary>
    public static Config Default { get; } = Read();

    private static Config Read()
    {
        using var stream = typeof(ClusterConfig).Assembly.GetManifestResourceStream("cluster.conf")
            ?? throw new InvalidOperationException("cluster.conf is not in the assembly.");
        using var reader = new StreamReader(stream);
        return ConfigurationFactory.ParseString(reader.ReadToEnd());
    }
}
