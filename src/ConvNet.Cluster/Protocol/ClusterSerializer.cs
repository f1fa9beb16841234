using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using ConvNet.Cluster.Jobs;
using MessagePack;
using MessagePack.Formatters;
using MessagePack.Resolvers;
using static ConvNet.Cluster.Protocol.NodeProtocol;
using static ConvNet.Cluster.Protocol.ShardProtocol;
using static ConvNet.Cluster.Protocol.WorkerProtocol;

namespace ConvNet.Cluster.Protocol;

/// <summary>The one serializer of everything that is ours on the wire: MessagePack with integer keys, chosen by a closed list of manifests.</summary>
/// <remarks>No type name is ever read off the wire. Manifests are for ever: append, never reuse.</remarks>
public sealed class ClusterSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Ours among all of Akka's serializers.</summary>
    public const int Id = 481;

    /// <summary>How all contracts are written and read: only contracts with keys, nested no deeper than any of them is.</summary>
    public static MessagePackSerializerOptions Options { get; } = MessagePackSerializerOptions.Standard
        .WithResolver(CompositeResolver.Create(
            BuiltinResolver.Instance, DynamicEnumResolver.Instance, DynamicUnionResolver.Instance, DynamicObjectResolver.Instance, ArrayResolver.Instance))
        .WithSecurity(MessagePackSecurity.UntrustedData.WithMaximumObjectGraphDepth(16));

    private static readonly Dictionary<string, Contract> ByManifest = new()
    {
        ["ni"] = Contract.Of<Introduce>(),
        ["nj"] = Contract.Of<Introduction>(),
        ["nr"] = Contract.Of<Refused>(),
        ["nm"] = Contract.Of<MakePart>(),
        ["np"] = Contract.Of<PartMade>(),
        ["nl"] = Contract.Of<Leaving>(),
        ["ws"] = Contract.Of<StartWorker>(),
        ["wr"] = Contract.Of<WorkerReady>(),
        ["wa"] = Contract.Of<Assign>(),
        ["wf"] = Contract.Of<WorkerFailed>(),
        ["wn"] = Contract.Of<LossNotFinite>(),
        ["wx"] = Contract.Of<StopWorker>(),
        ["es"] = Contract.Of<WorkerSpeed>(),
        ["eh"] = Contract.Of<HowFar>(),
        ["ef"] = Contract.Of<SoFar>(),
        ["ss"] = Contract.Of<StartShard>(),
        ["sr"] = Contract.Of<ShardStarted>(),
        ["sm"] = Contract.Of<MeetShards>(),
        ["su"] = Contract.Of<RunUntil>(),
        ["sp"] = Contract.Of<Pause>(),
        ["sq"] = Contract.Of<Paused>(),
        ["sl"] = Contract.Of<LimitReached>(),
        ["sc"] = Contract.Of<StepsCompleted>(),
        ["se"] = Contract.Of<EvaluationCompleted>(),
        ["sd"] = Contract.Of<LossDiverged>(),
        ["sf"] = Contract.Of<ShardFailed>(),
        ["sx"] = Contract.Of<StopShard>(),
        ["kt"] = Contract.Of<TakeSnapshot>(),
        ["kk"] = Contract.Of<SnapshotTaken>(),
        ["km"] = Contract.Of<SnapshotMissed>(),
        ["kd"] = Contract.Of<DropSnapshot>(),
    };

    private static readonly Dictionary<Type, string> ByType = ByManifest.ToDictionary(c => c.Value.Type, c => c.Key);

    /// <inheritdoc/>
    public override int Identifier => Id;

    /// <summary>All manifests and what they stand for: the contract of the wire.</summary>
    public static IReadOnlyDictionary<string, Type> Manifests { get; } = ByManifest.ToDictionary(c => c.Key, c => c.Value.Type);

    /// <inheritdoc/>
    public override string Manifest(object o) =>
        ByType.TryGetValue(o.GetType(), out string? manifest)
            ? manifest
            : throw new SerializationException($"{o.GetType().Name} has no manifest in {nameof(ClusterSerializer)}.");

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => ByManifest[Manifest(obj)].Write(obj);

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest) =>
        ByManifest.TryGetValue(manifest, out var contract)
            ? contract.Read(bytes)
            : throw new SerializationException($"Unknown manifest '{manifest}' for serializer {Id}. Is the sender of another version?");

    private sealed record Contract(Type Type, Func<object, byte[]> Write, Func<byte[], object> Read)
    {
        public static Contract Of<T>() where T : class, IClusterMessage => new(
            typeof(T),
            message => MessagePackSerializer.Serialize((T)message, Options),
            bytes => MessagePackSerializer.Deserialize<T>(bytes, Options));
    }

    /// <summary>Arrays of contracts, and texts by name; the built-in resolver knows arrays of numbers only.</summary>
    private sealed class ArrayResolver : IFormatterResolver
    {
        public static readonly ArrayResolver Instance = new();

        private static readonly ArrayFormatter<TensorTarget> Targets = new();
        private static readonly ArrayFormatter<MetricSums> Sums = new();
        private static readonly ArrayFormatter<DataOriginFile> Files = new();
        private static readonly ArrayFormatter<OwnLayer> Layers = new();
        private static readonly DictionaryFormatter<string, string> Settings = new();

        public IMessagePackFormatter<T>? GetFormatter<T>() =>
            (Targets as IMessagePackFormatter<T>) ?? (Sums as IMessagePackFormatter<T>) ?? (Files as IMessagePackFormatter<T>)
            ?? (Layers as IMessagePackFormatter<T>) ?? (Settings as IMessagePackFormatter<T>);
    }
}
