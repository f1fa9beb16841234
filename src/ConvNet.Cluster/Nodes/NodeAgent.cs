using Akka.Actor;
using Akka.Event;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Workers;
using static ConvNet.Cluster.Protocol.NodeProtocol;

namespace ConvNet.Cluster.Nodes;

/// <summary>A node's face to the cluster: introduces it, hosts workers and servers for whoever owns them, and hands their work over before the node leaves.</summary>
/// <remarks>
/// <code>
/// Hosting ──PrepareToLeave──▶ Leaving ──no part left──▶ answers ReadyToLeave; makes no more parts
/// </code>
/// A part belongs to the actor that asked for it (an attempt at a job). It is stopped when that actor dies, wherever that was: so nothing of an
/// old attempt stays behind, even if the coordinator's machine is gone.
/// </remarks>
internal sealed class NodeAgent : ReceiveActor
{
    /// <summary>Node's shutdown → agent: hand over. Answer: <see cref="ReadyToLeave"/>. Never leaves the process.</summary>
    public sealed record PrepareToLeave : INoSerializationVerificationNeeded
    {
        public static readonly PrepareToLeave Instance = new();
    }

    /// <summary>Nothing is hosted any more.</summary>
    public sealed record ReadyToLeave : INoSerializationVerificationNeeded
    {
        public static readonly ReadyToLeave Instance = new();
    }

    private readonly NodeParts _parts;
    private readonly Introduction _introduction;
    private readonly Dictionary<IActorRef, HashSet<IActorRef>> _byOwner = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private IActorRef _coordinator = ActorRefs.Nobody;
    private IActorRef _leaver = ActorRefs.Nobody;

    public NodeAgent(NodeParts parts, Introduction introduction)
    {
        (_parts, _introduction) = (parts, introduction);
        Receive<MakePart>(Make);
        Receive<PrepareToLeave>(_ => Leave());
        ReceiveAlways();
    }

    public static Props PropsFor(NodeParts parts, Introduction introduction) => Props.Create(() => new NodeAgent(parts, introduction));

    /// <summary>A part that fails is stopped, whatever it was: the coordinator sees it by death watch, and the node lives on.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(-1, -1, failure =>
    {
        if (FailureTable.Decide(failure) == Directive.Escalate)
            _log.Error(failure, "A part of a job failed of something that should never happen, and is stopped: {0}", failure.Message);
        else
            _log.Warning("A part of a job failed and is stopped: {0}", failure.Message);
        return Directive.Stop;
    }, loggingEnabled: false);

    private void ReceiveAlways()
    {
        Receive<Introduce>(m =>
        {
            _coordinator = Sender;
            Sender.Tell(_introduction);
        });
        Receive<Refused>(m => _log.Error("This node takes no part in the cluster's jobs: {0}", m.Reason));
        Receive<Terminated>(m => OnGone(m.ActorRef));
    }

    private void AboutToLeave()
    {
        Receive<MakePart>(_ => { });   // the coordinator has been told, and asks others
        Receive<PrepareToLeave>(_ => _leaver = Sender);
        ReceiveAlways();
    }

    private void Make(MakePart order)
    {
        var props = order.Kind == PartKind.Worker ? Worker.PropsFor(_parts) : ParameterServer.PropsFor(_parts);
        var part = Context.ActorOf(props);
        Context.Watch(part);
        if (!_byOwner.TryGetValue(Sender, out var hosted))
        {
            _byOwner.Add(Sender, hosted = []);
            Context.Watch(Sender);
        }

        hosted.Add(part);
        Sender.Tell(new PartMade(order.Kind, order.Number), part);
    }

    private void OnGone(IActorRef actor)
    {
        if (_byOwner.Remove(actor, out var orphans))
        {
            foreach (var orphan in orphans)
                Context.Stop(orphan);
        }

        foreach (var (owner, hosted) in _byOwner)
        {
            if (!hosted.Remove(actor) || hosted.Count > 0)
                continue;
            _byOwner.Remove(owner);
            Context.Unwatch(owner);
            break;
        }

        AnswerLeaver();
    }

    private void Leave()
    {
        _leaver = Sender;
        Become(AboutToLeave);
        _coordinator.Tell(new Leaving(_introduction.Name));
        AnswerLeaver();
    }

    private void AnswerLeaver()
    {
        if (_byOwner.Count == 0)
            _leaver.Tell(ReadyToLeave.Instance);
    }
}
