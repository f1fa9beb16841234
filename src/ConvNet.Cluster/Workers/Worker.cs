using Akka.Actor;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using static ConvNet.Cluster.Protocol.WorkerProtocol;

namespace ConvNet.Cluster.Workers;

/// <summary>Takes part in one job on one node: starts the engine, passes assignments on to it, and falls with it.</summary>
/// <remarks>
/// Idle ──StartWorker──▶ Preparing ──runtime made──▶ Working ──StopWorker──▶ stopped.
/// A failed lane throws here; the parent's table says that it stops, and the coordinator sees it by death watch.
/// </remarks>
internal sealed class Worker : ReceiveActor
{
    private sealed record Prepared(IJobRuntime Runtime) : INoSerializationVerificationNeeded;   // to self only

    private readonly NodeParts _node;
    private readonly CancellationTokenSource _stopped = new();      // data that nobody needs any more is not fetched to the end
    private StartWorker _start = null!;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private WorkerEngine? _engine;
    private Assign? _newest;

    public Worker(NodeParts node)
    {
        _node = node;
        Receive<StartWorker>(Start);
        Receive<Assign>(m => _newest = m);
        Receive<StopWorker>(_ => Context.Stop(Self));
    }

    public static Props PropsFor(NodeParts node) => Props.Create(() => new Worker(node));

    protected override void PostStop()
    {
        _stopped.Cancel();
        _engine?.Stop();
    }

    private void Start(StartWorker start)
    {
        (_start, _coordinator) = (start, Sender);
        Become(Preparing);
        _node.Runtimes.PrepareAsync(start.Spec, start.Data, _stopped.Token).PipeTo(Self, success: runtime => new Prepared(runtime), failure: e => new EngineFailed(e));
    }

    private void Preparing()
    {
        Receive<Prepared>(m => Work(m.Runtime));
        Receive<Assign>(m => _newest = m);
        Receive<EngineFailed>(Fall);
        Receive<StopWorker>(_ => Context.Stop(Self));
    }

    private void Work(IJobRuntime runtime)
    {
        var (self, coordinator) = (Self, _coordinator);
        var shards = new ShardPlan(runtime.Layout, _start.Shards.Length);
        var job = new WorkerJob(_start.Job, _start.Worker, _node.Lanes, shards, _start.Shards, runtime, _node.Transport, _node.Faults);
        _engine = new WorkerEngine(job, message => (message is IClusterMessage ? coordinator : self).Tell(message, self));
        Become(Working);
        _engine.Start(_node.Threads, _start.Version);
        if (_newest is not null)
            Pass(_newest);
    }

    private void Working()
    {
        Receive<Assign>(Pass);
        Receive<HowFar>(_ => Sender.Tell(_engine!.SoFar()));
        Receive<EngineFailed>(Fall);
        Receive<StopWorker>(_ => Context.Stop(Self));
    }

    private void Pass(Assign m) => _engine!.Assign(new(m.Number, m.Index, m.Weights));

    private void Fall(EngineFailed failure)
    {
        _coordinator.Tell(new WorkerFailed(_start.Job, _start.Worker, failure.Cause.Message));
        throw failure.Cause is LaneFailedException lane ? lane : new PartFailedException($"worker {_start.Worker}", failure.Cause);
    }
}
