using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace ConvNet.Cluster.Protocol;

/// <summary>Stands where Akka falls back to JSON with type names: says no in both directions.</summary>
public sealed class RefusingSerializer : Serializer
{
    /// <summary>Called by Akka, which hands its settings for JSON to whatever stands under that name.</summary>
    public RefusingSerializer(ExtendedActorSystem system, Config jsonSettings)
        : base(system) => _ = jsonSettings;

    /// <inheritdoc/>
    public override int Identifier => 1;

    /// <inheritdoc/>
    public override bool IncludeManifest => false;

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) =>
        throw new SerializationException($"{obj.GetType()} is no message of this cluster: it has no serializer.");

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, Type type) =>
        throw new SerializationException($"A message of {bytes.Length} bytes in a foreign format was refused.");
}
