using Akka.Configuration;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Nodes;

namespace ConvNet.Cluster.Hosting;

/// <summary>What a node is, where it listens, and where it finds the others. The result of a job does not depend on any of it.</summary>
public sealed record NodeOptions
{
    /// <summary>The name of every cluster: part of all addresses.</summary>
    public const string SystemName = "convnet";

    /// <summary>Where a coordinator listens unless told otherwise.</summary>
    public const int DefaultPort = 4053;

    /// <summary>Some of <see cref="NodeRole"/>.</summary>
    public IReadOnlyList<string> Roles { get; init; } = NodeRole.All;

    /// <summary>The host name or IP address by which other nodes reach this one.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The IP address to listen at; null: <see cref="Host"/> if it is an IP address, otherwise all.</summary>
    public string? Bind { get; init; }

    /// <summary>The port of the control plane; 0 takes a free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>The port of the data plane; 0 takes a free one.</summary>
    public int TensorPort { get; init; }

    /// <summary>Whether floats between nodes of one machine are copied from memory instead of going through sockets, where the system allows it.</summary>
    public bool SharesMemory { get; init; } = true;

    /// <summary>Addresses of coordinators, such as <c>akka.tcp://convnet@10.0.0.1:4053</c>. Empty: this node founds a cluster.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <summary>Lanes of a worker.</summary>
    public int Lanes { get; init; } = Environment.ProcessorCount;

    /// <summary>Where data sets are looked for.</summary>
    public string DataDirectory { get; init; } = ".";

    /// <summary>Where jobs, checkpoints and models are kept.</summary>
    public string WorkDirectory { get; init; } = "work";

    /// <summary>How often a coordinator has checkpoints written.</summary>
    public CheckpointPolicy Checkpoints { get; init; } = CheckpointPolicy.Default;

    /// <summary>Where a server writes down what each step was made of; null: nowhere.</summary>
    public string? AuditFile { get; init; }

    /// <summary>A name for people; null for host and port.</summary>
    public string? Name { get; init; }

    /// <summary>Settings of Akka that go before the defaults.</summary>
    public Config Akka { get; init; } = Config.Empty;

    /// <summary>The version of the protocol that the node says it speaks; another than its own in tests only.</summary>
    internal int ProtocolVersion { get; init; } = Protocol.NodeProtocol.Version;

    /// <summary>The address to listen at, worked out.</summary>
    public string BindOrDefault => Bind ?? (System.Net.IPAddress.TryParse(Host, out _) ? Host : "0.0.0.0");

    /// <summary>Whether the node has a role.</summary>
    public bool Has(string role) => Roles.Contains(role);
}
