using System.Reflection;
using System.Runtime.Serialization;
using Akka.Actor;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using MessagePack;
using static ConvNet.Cluster.Protocol.NodeProtocol;
using static ConvNet.Cluster.Protocol.ShardProtocol;
using static ConvNet.Cluster.Protocol.WorkerProtocol;

namespace ConvNet.Cluster.Tests.Protocol;

public sealed class ClusterSerializerTests : IAsyncLifetime
{
    private readonly ActorSystem _system = ActorSystem.Create("serializers", ClusterConfig.Default);

    private static readonly TensorTarget Target = new("local", "j1", "shard-0");

    private static readonly DataOrigin Data = new(
        "mnist:m", new('a', 64), "mnist", "m", [new("t10k-images", long.MaxValue, new('b', 64)), new("x", 0, new('c', 64))],
        new(1, 28, 28, ["zero", "one"], 60_000, 10_000, [0.25f], [0.5f]), Target);

    private static readonly MetricSums Sums = new(1.5f, 2, 3, 4);

    public static TheoryData<string, IClusterMessage> Messages() => new()
    {
        { "ni", new Introduce(1, "akka.tcp://convnet@a:4053") },
        { "nj", new Introduction(1, "worker-1", ["server", "worker"], 4, "10.0.0.2:9000", "1.0.0") },
        { "nr", new Refused("too old") },
        { "nm", new MakePart(PartKind.Server, 3) },
        { "np", new PartMade(PartKind.Worker, 4) },
        { "nl", new Leaving("worker-1") },
        { "ws", new StartWorker("j1", new JobSpec(), 3, [Target, Target with { Part = "shard-1" }], 7, Data) },
        { "wr", new WorkerReady("j1", 3, 7) },
        { "wa", new Assign("j1", 2, 1, [1, 1, 3]) },
        { "wf", new WorkerFailed("j1", 3, "lane 0: out of luck") },
        { "wn", new LossNotFinite("j1", 3, 7, 2, float.NaN, "layer conv2 gave NaN") },
        { "wx", new StopWorker("j1") },
        { "es", new WorkerSpeed("j1", 3, 4, 123.5) },
        { "eh", new HowFar("j1") },
        { "ef", new SoFar("j1", 3, 7, true) },
        { "ss", new StartShard("j1", new JobSpec(Schedule: LearningRateSchedule.Constant, Seed: ulong.MaxValue), 1, 2, 7, Target, Data) },
        { "sr", new ShardStarted("j1", 1, Target) },
        { "sm", new MeetShards("j1", [Target, Target with { Part = "shard-1" }]) },
        { "su", new RunUntil("j1", long.MaxValue) },
        { "sp", new Pause("j1") },
        { "sq", new Paused("j1", 1, 9) },
        { "sl", new LimitReached("j1", 1, 9) },
        { "sc", new StepsCompleted("j1", 8, [Sums, Sums]) },
        { "se", new EvaluationCompleted("j1", 9, Sums) },
        { "sd", new LossDiverged("j1", 9, true, float.NaN) },
        { "sf", new ShardFailed("j1", 1, "why") },
        { "sx", new StopShard("j1") },
        { "kt", new TakeSnapshot("j1", 12) },
        { "kk", new SnapshotTaken("j1", 1, 12) },
        { "km", new SnapshotMissed("j1", 1, 12, 15) },
        { "kd", new DropSnapshot("j1", 12) },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_message_goes_there_and_back_under_its_manifest(string manifest, IClusterMessage message)
    {
        var serializer = Assert.IsType<ClusterSerializer>(_system.Serialization.FindSerializerFor(message));
        byte[] bytes = serializer.ToBinary(message);

        object back = serializer.FromBinary(bytes, manifest);

        Assert.Equal(manifest, serializer.Manifest(message));
        Assert.IsType(message.GetType(), back);
        Assert.Equal(bytes, serializer.ToBinary(back));
    }

    [Fact]
    public void Every_message_of_the_protocol_has_a_manifest_and_is_tested()
    {
        var all = typeof(IClusterMessage).Assembly.GetTypes().Where(t => t is { IsAbstract: false } && t.IsAssignableTo(typeof(IClusterMessage))).ToHashSet();

        Assert.Equal(all, [.. ClusterSerializer.Manifests.Values]);
        Assert.Equal(all, [.. Messages().Select(m => ((object[])m)[1].GetType())]);
        Assert.All(all, t => Assert.NotNull(t.GetCustomAttribute<MessagePackObjectAttribute>()));
    }

    [Fact]
    public void Every_tensor_header_goes_there_and_back()
    {
        ITensorHeader[] headers = [new ContributionHeader(1, 2, 3), new EvaluationHeader(1, 2, 3), new WeightsRequest(4, Target), new WeightsHeader(5, 6), new SnapshotRequest(7, 1, Target), new SnapshotHeader(7, 2, 1), new RestoreRequest(1, 2, Target), new RestoreHeader(2), new StepSumsHeader(1, 2), new StepTotalsHeader(3), new DataRequest(1, long.MaxValue, 3, Target), new DataHeader(1, 2, 3)];

        foreach (var header in headers)
        {
            byte[] bytes = MessagePackSerializer.Serialize(header, ClusterSerializer.Options);
            Assert.Equal(header, MessagePackSerializer.Deserialize<ITensorHeader>(bytes, ClusterSerializer.Options));
        }
    }

    [Fact]
    public void An_unknown_manifest_is_refused()
    {
        var wrong = Assert.Throws<SerializationException>(() => _system.Serialization.Deserialize([], ClusterSerializer.Id, "System.Object"));

        Assert.Equal("Unknown manifest 'System.Object' for serializer 481. Is the sender of another version?", wrong.Message);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0xC1 })]
    [InlineData(new byte[] { 0xDD, 0x7F, 0xFF, 0xFF, 0xFF })]   // an array of two thousand million
    [InlineData(new byte[] { 0x94, 0xA2, 0x6A, 0x31, 0x01, 0x01, 0xDD, 0x7F, 0xFF, 0xFF, 0xFF })]
    public void Garbage_is_refused(byte[] garbage)
    {
        Assert.ThrowsAny<MessagePackSerializationException>(() => _system.Serialization.Deserialize(garbage, ClusterSerializer.Id, "wa"));
    }

    [Fact]
    public void Json_with_type_names_is_refused_in_both_directions()
    {
        byte[] json = """{"$type":"System.IO.FileInfo, System.Private.CoreLib","fileName":"/etc/passwd"}"""u8.ToArray();

        Assert.Throws<SerializationException>(() => _system.Serialization.Deserialize(json, 1, typeof(object)));
        Assert.ThrowsAny<SerializationException>(() => _system.Serialization.Serialize(new { Some = "thing" }));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _system.Terminate();
}
