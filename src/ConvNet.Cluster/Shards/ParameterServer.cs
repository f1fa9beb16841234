using Akka.Actor;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using static ConvNet.Cluster.Protocol.ShardProtocol;

namespace ConvNet.Cluster.Shards;

/// <summary>Holds one shard of one job on one node: starts the engine, passes the coordinator's orders on to it, and falls with it.</summary>
/// <remarks>
/// Idle ──StartShard──▶ Preparing ──job planned──▶ Serving ──StopShard──▶ stopped.
/// The coordinator gives orders only after <see cref="ShardStarted"/>, which the engine sends.
/// </remarks>
internal sealed class ParameterServer : ReceiveActor, IWithTimers
{
    private sealed record Prepared(IJobDefinition Definition) : INoSerializationVerificationNeeded;   // to self only

    private sealed record Tick : INoSerializationVerificationNeeded   // to self only
    {
        public static readonly Tick Instance = new();
    }

    /// <summary>How long a shard waits for another before it sends again what may be lost.</summary>
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    private readonly NodeParts _node;
    private StartShard _start = null!;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private ShardEngine? _engine;

    public ParameterServer(NodeParts node)
    {
        _node = node;
        Receive<StartShard>(Start);
        Receive<StopShard>(_ => Context.Stop(Self));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsFor(NodeParts node) => Props.Create(() => new ParameterServer(node));

    protected override void PostStop() => _engine?.Stop();

    private void Start(StartShard start)
    {
        (_start, _coordinator) = (start, Sender);
        Become(Preparing);
        _node.Runtimes.DefineAsync(start.Spec, start.Data).PipeTo(Self, success: definition => new Prepared(definition), failure: e => new EngineFailed(e));
    }

    private void Preparing()
    {
        Receive<Prepared>(m => Serve(m.Definition));
        Receive<EngineFailed>(Fall);
        Receive<StopShard>(_ => Context.Stop(Self));
    }

    private void Serve(IJobDefinition definition)
    {
        var (self, coordinator) = (Self, _coordinator);
        var job = new ShardJob(_start.Job, _start.Shard, new ShardPlan(definition.Layout, _start.Shards), definition, _node.Transport, _node.Ledger)
        {
            FirstVersion = _start.Version,
            Restore = _start.Restore,
            FirstLimit = _start.Until,
        };
        _engine = new ShardEngine(job, message => (message is IClusterMessage ? coordinator : self).Tell(message, self));
        Become(Serving);
        _engine.Start(_node.Threads);
    }

    private void Serving()
    {
        Receive<RunUntil>(m => _engine!.RunUntil(m.Version));
        Receive<MeetShards>(m =>
        {
            _engine!.Meet(m.Shards);
            Timers.StartPeriodicTimer("ask", Tick.Instance, AskAgainAfter);
        });
        Receive<Tick>(_ => _engine!.AskAgain());
        Receive<Pause>(_ => _engine!.Pause());
        Receive<TakeSnapshot>(m => _engine!.TakeSnapshot(m.Version));
        Receive<DropSnapshot>(m => _engine!.DropSnapshot(m.Version));
        Receive<EngineFailed>(Fall);
        Receive<StopShard>(_ => Context.Stop(Self));
    }

    private void Fall(EngineFailed failure)
    {
        _coordinator.Tell(new ShardFailed(_start.Job, _start.Shard, failure.Cause.Message));
        throw new PartFailedException($"server {_start.Shard}", failure.Cause);
    }
}
