using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Nodes;
using static ConvNet.Cluster.Protocol.NodeProtocol;

namespace ConvNet.Cluster.Management;

/// <summary>Runs one attempt at a job on the nodes that are there: claims servers and workers on them, and gives them to a <see cref="JobCoordinator"/>.</summary>
/// <remarks>
/// <code>
/// Gathering ──a server and a worker are there, and nobody came for a moment──▶ Claiming ──all servers made──▶ Running ──▶ ended
///                                                                             │ a claimed node is gone: Gathering
/// </code>
/// The servers of an attempt are those nodes that are there at its beginning; workers may come and go all the time. Its parent gets <see cref="Waiting"/>
/// and <see cref="Began"/> as it changes between the two, and one <see cref="Ended"/>.
/// </remarks>
internal sealed class JobAttempt : ReceiveActor, IWithTimers
{
    /// <summary>→ parent: no server or no worker is there.</summary>
    public sealed record Waiting(string Target, string Role) : INoSerializationVerificationNeeded;

    /// <summary>→ parent: servers are claimed, and workers are being added.</summary>
    public sealed record Began(string Target, int Servers) : INoSerializationVerificationNeeded;

    /// <summary>→ parent: the attempt is over.</summary>
    /// <param name="Target">Which.</param>
    /// <param name="Outcome">What came of it.</param>
    /// <param name="Moved">Why it was stopped, if another is to go on with it at once.</param>
    public sealed record Ended(string Target, JobCoordinator.Finished Outcome, string? Moved = null) : INoSerializationVerificationNeeded;

    private sealed record Settled : INoSerializationVerificationNeeded
    {
        public static readonly Settled Instance = new();
    }

    /// <summary>Nodes that start together should take part together: a server that comes a moment later would stay out for the whole attempt.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(400);

    private readonly AttemptJob _job;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<IActorRef, ClusterNode> _nodes;              // by agent; those that leave are out
    private readonly Dictionary<int, ClusterNode> _claims = [];              // by part number, until it is made
    private readonly Dictionary<IActorRef, (ClusterNode Node, PartKind Kind)> _parts = [];
    private IActorRef[] _servers = [];
    private IActorRef _coordinator = ActorRefs.Nobody;
    private int _nextPart, _firstServer;
    private string? _waitingFor, _moved;

    public JobAttempt(AttemptJob job, ImmutableArray<ClusterNode> nodes)
    {
        _job = job;
        _nodes = nodes.ToDictionary(n => n.Agent);
        Become(Gathering);
    }

    public static Props PropsFor(AttemptJob job, ImmutableArray<ClusterNode> nodes) => Props.Create(() => new JobAttempt(job, nodes));

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A bug in the coordinator must not begin again from nothing: the attempt fails.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(-1, -1, failure =>
    {
        _log.Error(failure, "The coordinator of {0} failed of something that should never happen: {1}", _job.Target, failure.Message);
        Self.Tell(new JobCoordinator.Finished(null, $"the coordinator failed: {failure.Message}"));
        return Directive.Stop;
    });

    protected override void PreStart() => Look();

    private void Gathering()
    {
        Receive<Membership.NodeCame>(m =>
        {
            _nodes[m.Node.Agent] = m.Node;
            Look();
        });
        Receive<Membership.NodeLeaves>(m => Without(m.Node));
        Receive<Membership.NodeGone>(m => Without(m.Node));
        Receive<Settled>(_ => Claim());
        Receive<PartMade>(_ => Sender.Tell(PoisonPill.Instance));   // of a claim that was given up
        Receive<JobCoordinator.StopJob>(_ => Context.Parent.Tell(new Ended(_job.Target, JobCoordinator.Finished.StoppedAtOnce)));
    }

    private void Claiming()
    {
        Receive<PartMade>(m =>
        {
            if (!_claims.Remove(m.Number, out var node))
            {
                Sender.Tell(PoisonPill.Instance);   // of a claim that was given up
                return;
            }

            _servers[m.Number - _firstServer] = Sender;
            _parts[Sender] = (node, PartKind.Server);
            if (_claims.Count == 0)
                Begin();
        });
        Receive<Membership.NodeCame>(m => _nodes[m.Node.Agent] = m.Node);
        Receive<Membership.NodeLeaves>(m => GiveUpClaims(m.Node));
        Receive<Membership.NodeGone>(m => GiveUpClaims(m.Node));
        Receive<JobCoordinator.StopJob>(_ => Context.Parent.Tell(new Ended(_job.Target, JobCoordinator.Finished.StoppedAtOnce)));
    }

    private void Running()
    {
        Receive<PartMade>(m =>
        {
            if (!_claims.Remove(m.Number, out var node))
                return;
            if (!_nodes.ContainsKey(node.Agent))
            {
                Sender.Tell(PoisonPill.Instance);   // its node has left meanwhile, or is about to
                return;
            }

            _parts[Sender] = (node, PartKind.Worker);
            _coordinator.Tell(new JobCoordinator.AddWorker(Sender));
        });
        Receive<Membership.NodeCame>(m =>
        {
            _nodes[m.Node.Agent] = m.Node;
            AddWorker(m.Node);
        });
        Receive<Membership.NodeLeaves>(m => OnLeaves(m.Node));
        Receive<Membership.NodeGone>(m => OnGone(m.Node, m.Reason));
        Receive<JobCoordinator.StopJob>(m => _coordinator.Tell(m));
        Receive<JobCoordinator.Finished>(m => Context.Parent.Tell(new Ended(_job.Target, m, _moved)));
    }

    private IEnumerable<ClusterNode> With(string role) => _nodes.Values.Where(n => n.Has(role));

    private void Look()
    {
        string? missing = !With(NodeRole.Server).Any() ? NodeRole.Server : !With(NodeRole.Worker).Any() ? NodeRole.Worker : null;
        if (missing is null)
        {
            Timers.StartSingleTimer("settle", Settled.Instance, SettleTime);
        }
        else if (missing != _waitingFor)
        {
            Timers.Cancel("settle");
            Context.Parent.Tell(new Waiting(_job.Target, missing));
        }

        _waitingFor = missing;
    }

    private void Without(ClusterNode node)
    {
        _nodes.Remove(node.Agent);
        Look();
    }

    private void Claim()
    {
        var hosts = With(NodeRole.Server).OrderBy(n => n.Address.ToString(), StringComparer.Ordinal).ToArray();
        if (hosts.Length == 0 || !With(NodeRole.Worker).Any())
            return;
        Become(Claiming);
        int[] placement = _job.Place(hosts.Length);
        _servers = new IActorRef[placement.Length];
        _firstServer = _nextPart;
        foreach (int host in placement)
            Ask(hosts[host], PartKind.Server);
    }

    private void GiveUpClaims(ClusterNode node)
    {
        bool claimed = _claims.ContainsValue(node) || _parts.Values.Any(p => p.Node == node);
        _nodes.Remove(node.Agent);
        if (!claimed)
            return;
        foreach (var part in _parts.Keys)
            part.Tell(PoisonPill.Instance);
        _claims.Clear();
        _parts.Clear();
        Become(Gathering);
        Look();
    }

    private void Begin()
    {
        Become(Running);
        Context.Parent.Tell(new Began(_job.Target, _servers.Length));
        _coordinator = Context.ActorOf(JobCoordinator.PropsFor(_job.Coordinate(_servers)), "coordinator");
        foreach (var node in _nodes.Values)
            AddWorker(node);
    }

    private void AddWorker(ClusterNode node)
    {
        if (node.Has(NodeRole.Worker))
            Ask(node, PartKind.Worker);
    }

    private void Ask(ClusterNode node, PartKind kind)
    {
        int number = _nextPart++;
        _claims.Add(number, node);
        node.Agent.Tell(new MakePart(kind, number));
    }

    private void OnLeaves(ClusterNode node)
    {
        _nodes.Remove(node.Agent);
        bool serves = false;
        foreach (var (part, (host, kind)) in _parts)
        {
            serves |= host == node && kind == PartKind.Server;
            if (host == node && kind == PartKind.Worker)
                _coordinator.Tell(new JobCoordinator.ReleaseWorker(part, $"{node.Is.Name} leaves the cluster"));
        }

        if (!serves)
            return;
        _moved = $"{node.Is.Name}, which has a part of the parameters, leaves the cluster";
        _coordinator.Tell(new JobCoordinator.StopJob());   // with a checkpoint; the next attempt does without this node
    }

    private void OnGone(ClusterNode node, string reason)
    {
        _nodes.Remove(node.Agent);
        foreach (var (part, (host, _)) in _parts.Where(p => p.Value.Node == node).ToArray())
        {
            _parts.Remove(part);
            _coordinator.Tell(new JobCoordinator.PartLost(part, $"{host.Is.Name}: {reason}"));
        }
    }
}

/// <summary>What an attempt is given to begin with.</summary>
/// <param name="Target">The job's name in frames and messages: job and attempt, such as <c>j7.2</c>.</param>
/// <param name="Place">For a number of server nodes, the server node of each shard.</param>
/// <param name="Coordinate">What the coordinator is given, for the servers of all shards.</param>
internal sealed record AttemptJob(string Target, Func<int, int[]> Place, Func<IActorRef[], CoordinatorJob> Coordinate);
