using MessagePack;

namespace ConvNet.Cluster.Protocol;

/// <summary>All that the coordinator of a cluster and its nodes say to one another: who is there, and who hosts what.</summary>
/// <remarks>Keys are for ever: append, never renumber, never reuse.</remarks>
public static class NodeProtocol
{
    /// <summary>The version of everything that crosses the wire. Nodes of another version take no part in jobs.</summary>
    public const int Version = 1;

    /// <summary>Name of the actor of every node that answers these.</summary>
    public const string AgentName = "node";

    /// <summary>Coordinator → node: who are you? Answer: <see cref="Introduction"/>.</summary>
    /// <param name="Version">The coordinator's protocol version.</param>
    /// <param name="Coordinator">The coordinator's name, for the node's log.</param>
    [MessagePackObject]
    public sealed record Introduce(
        [property: Key(0)] int Version,
        [property: Key(1)] string Coordinator) : IClusterMessage;

    /// <summary>Node → coordinator: this is what I am.</summary>
    /// <param name="Version">The node's protocol version.</param>
    /// <param name="Name">Its name for people.</param>
    /// <param name="Roles">Its roles.</param>
    /// <param name="Lanes">Lanes of a worker on it; 0 where it has not that role.</param>
    /// <param name="Endpoint">Its tensor endpoint.</param>
    /// <param name="Program">The version of its program.</param>
    [MessagePackObject]
    public sealed record Introduction(
        [property: Key(0)] int Version,
        [property: Key(1)] string Name,
        [property: Key(2)] string[] Roles,
        [property: Key(3)] int Lanes,
        [property: Key(4)] string Endpoint,
        [property: Key(5)] string Program) : IClusterMessage;

    /// <summary>Coordinator → node: you take no part, for this reason.</summary>
    [MessagePackObject]
    public sealed record Refused([property: Key(0)] string Reason) : IClusterMessage;

    /// <summary>What a node can host for a job.</summary>
    public enum PartKind
    {
        /// <summary>A worker.</summary>
        Worker = 0,

        /// <summary>A parameter server.</summary>
        Server = 1,
    }

    /// <summary>Owner → node: make an idle part for me. Answer: <see cref="PartMade"/>, from the part itself. When the owner dies, so do its parts.</summary>
    /// <param name="Kind">Which.</param>
    /// <param name="Number">The owner's number for it, which the answer repeats.</param>
    [MessagePackObject]
    public sealed record MakePart(
        [property: Key(0)] PartKind Kind,
        [property: Key(1)] int Number) : IClusterMessage;

    /// <summary>Part → owner: here I am; the sender is the part.</summary>
    [MessagePackObject]
    public sealed record PartMade(
        [property: Key(0)] PartKind Kind,
        [property: Key(1)] int Number) : IClusterMessage;

    /// <summary>Node → coordinator: I am about to leave; take over what my parts do, then stop them.</summary>
    [MessagePackObject]
    public sealed record Leaving([property: Key(0)] string Name) : IClusterMessage;
}
