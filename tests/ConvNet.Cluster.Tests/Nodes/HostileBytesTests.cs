using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Telemetry;
using ConvNet.Cluster.Tests.Fakes;

namespace ConvNet.Cluster.Tests.Nodes;

/// <summary>What comes to the port of the control plane from strangers is refused and counted, and the node goes on.</summary>
public sealed class HostileBytesTests : IAsyncLifetime
{
    private readonly InProcessCluster _cluster = new(new ToyRuntime());
    private readonly MeterListener _meter = new();
    private readonly SemaphoreSlim _counted = new(0);
    private Uri _node = null!;

    public async Task InitializeAsync()
    {
        _meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == ClusterMeter.Instance && instrument.Name == "convnet.control.refused")
                listener.EnableMeasurementEvents(instrument);
        };
        _meter.SetMeasurementEventCallback<long>((_, _, _, _) => _counted.Release());
        _meter.Start();
        _node = new Uri((await _cluster.StartAsync(NodeRole.Coordinator, NodeRole.Server, NodeRole.Worker)).Address);
        await _cluster.AllUpAsync();
    }

    public async Task DisposeAsync()
    {
        _meter.Dispose();
        await _cluster.DisposeAsync();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("ffffffffffffffffffffffffffffffff")]                   // no length at all
    [InlineData("7fffffff01020304")]                                   // two gigabytes to come
    [InlineData("0a0000000102030405060708090a")]                       // a frame, and no message in it
    [InlineData("474554202f20485454502f312e310d0a486f73743a20780d0a0d0a")]   // GET / HTTP/1.1
    public async Task Garbage_is_counted_and_the_node_goes_on(string hex)
    {
        using var socket = new TcpClient(_node.Host, _node.Port);
        await socket.GetStream().WriteAsync(Convert.FromHexString(hex));

        await _counted.WaitAsync();

        await TheNodeTrains();
    }

    [Fact(Timeout = 60_000)]
    public async Task Half_a_frame_holds_nobody_up()
    {
        using var socket = new TcpClient(_node.Host, _node.Port);
        await socket.GetStream().WriteAsync(new byte[] { 10, 0, 0 });

        await TheNodeTrains();
    }

    /// <summary>Json.NET with type names, as Akka has it by default: whoever reads that makes objects of the sender's choice.</summary>
    [Fact(Timeout = 60_000)]
    public async Task A_message_in_polymorphic_json_is_refused()
    {
        await SendAsStranger(new Payload { Thing = new Version(1, 2) }, "");

        await _counted.WaitAsync();

        await TheNodeTrains();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_message_of_a_foreign_serializer_is_refused()
    {
        await SendAsStranger(new Payload(), $$"""
            serializers.foreign = "{{typeof(ForeignSerializer).AssemblyQualifiedName}}"
            serialization-bindings."{{typeof(Payload).AssemblyQualifiedName}}" = foreign
            """);

        await _counted.WaitAsync();

        await TheNodeTrains();
    }

    private async Task TheNodeTrains()
    {
        var job = await _cluster.SubmitAsync();
        Assert.Equal(JobState.Done, (await _cluster.EndOfAsync(job.Id)).State);
    }

    private async Task SendAsStranger(object message, string actor)
    {
        var stranger = ActorSystem.Create("convnet", ConfigurationFactory.ParseString($$"""
            akka.actor { provider = remote
            {{actor}} }
            akka.remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 }
            akka.stdout-loglevel = OFF, akka.loglevel = OFF
            """));
        stranger.ActorSelection($"{_node.OriginalString}/user/node").Tell(message);
        await _counted.WaitAsync();
        _counted.Release();
        await stranger.Terminate();
    }

    public sealed class Payload
    {
        public object? Thing { get; set; }
    }

    public sealed class ForeignSerializer(ExtendedActorSystem system) : Serializer(system)
    {
        public override int Identifier => 7777;

        public override bool IncludeManifest => true;

        public override byte[] ToBinary(object obj) => [1, 2, 3];

        public override object FromBinary(byte[] bytes, Type type) => throw new InvalidOperationException("Nobody should read this.");
    }
}
