using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Protocol;
using static ConvNet.Cluster.Protocol.NodeProtocol;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ConvNet.Cluster.Nodes;

/// <summary>A node that takes part in jobs.</summary>
/// <param name="Agent">Its <see cref="NodeAgent"/>.</param>
/// <param name="Address">Its address in the cluster.</param>
/// <param name="Is">How it introduced itself.</param>
internal sealed record ClusterNode(IActorRef Agent, Address Address, Introduction Is)
{
    /// <summary>Whether it has a role.</summary>
    public bool Has(string role) => Is.Roles.Contains(role);
}

/// <summary>The roles of a node.</summary>
public static class NodeRole
{
    /// <summary>Manages jobs.</summary>
    public const string Coordinator = "coordinator";

    /// <summary>Holds parameters.</summary>
    public const string Server = "server";

    /// <summary>Computes.</summary>
    public const string Worker = "worker";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Coordinator, Server, Worker];
}

/// <summary>Knows the nodes of the cluster: greets those that come, refuses those of another version, and says who has gone, as soon as it can be known.</summary>
/// <remarks>
/// <para>Its parent gets <see cref="NodeCame"/>, <see cref="NodeLeaves"/> and <see cref="NodeGone"/>; each node once each, in this order.</para>
/// <para>That a node is gone is known from three things, whichever comes first: its connection broke and nobody listens at its address any more
/// (a killed process: well under two seconds); it left; or it was not heard for long and <see cref="CutOffRule"/> removed it (a cut cable).</para>
/// </remarks>
internal sealed class Membership : ReceiveActor, IWithTimers
{
    /// <summary>→ parent: this node takes part from now on.</summary>
    public sealed record NodeCame(ClusterNode Node) : INoSerializationVerificationNeeded;

    /// <summary>→ parent: this node is about to leave.</summary>
    public sealed record NodeLeaves(ClusterNode Node) : INoSerializationVerificationNeeded;

    /// <summary>→ parent: this node is gone.</summary>
    public sealed record NodeGone(ClusterNode Node, string Reason) : INoSerializationVerificationNeeded;

    /// <summary>Anyone → membership: who is there? Answer: <see cref="Nodes"/>.</summary>
    public sealed record ListNodes : INoSerializationVerificationNeeded
    {
        public static readonly ListNodes Instance = new();
    }

    /// <summary>All nodes, as they are shown.</summary>
    public sealed record Nodes(ImmutableArray<NodeRecord> All) : INoSerializationVerificationNeeded;

    private sealed record Greet : INoSerializationVerificationNeeded
    {
        public static readonly Greet Instance = new();
    }

    private sealed record Probed(Address Address, bool Dead) : INoSerializationVerificationNeeded;

    private static readonly TimeSpan GreetInterval = TimeSpan.FromSeconds(1);

    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<Address, Member> _members = [];
    private readonly Dictionary<Address, ClusterNode> _nodes = [];
    private readonly Dictionary<Address, string> _refused = [];
    private readonly HashSet<Address> _unreachable = [], _leaving = [], _dead = [];

    public Membership()
    {
        Receive<ClusterEvent.MemberUp>(m => OnUp(m.Member));
        Receive<ClusterEvent.UnreachableMember>(m => _unreachable.Add(m.Member.Address));
        Receive<ClusterEvent.ReachableMember>(m => _unreachable.Remove(m.Member.Address));
        Receive<ClusterEvent.MemberRemoved>(m => OnRemoved(m.Member));
        Receive<ClusterEvent.IMemberEvent>(m => OnChanged(m.Member));
        Receive<Greet>(_ => GreetAll());
        Receive<Introduction>(OnIntroduction);
        Receive<Leaving>(_ => OnLeaving(Sender));
        Receive<Terminated>(m => OnAgentGone(m.ActorRef));
        Receive<Akka.Remote.AssociationErrorEvent>(m => Probe(m.RemoteAddress));
        Receive<Akka.Remote.DisassociatedEvent>(m => Probe(m.RemoteAddress));
        Receive<Probed>(OnProbed);
        Receive<ListNodes>(_ => Sender.Tell(new Nodes([.. _members.Values.Order().Select(Describe)])));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Context.System.EventStream.Subscribe<Akka.Remote.AssociationErrorEvent>(Self);
        Context.System.EventStream.Subscribe<Akka.Remote.DisassociatedEvent>(Self);
        Timers.StartPeriodicTimer("greet", Greet.Instance, GreetInterval);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        Context.System.EventStream.Unsubscribe(Self);
    }

    private void OnUp(Member member)
    {
        // An address may come back with another process behind it.
        if (_members.TryGetValue(member.Address, out var before) && before.UniqueAddress.Uid != member.UniqueAddress.Uid)
            OnRemoved(before);
        _members[member.Address] = member;
        GreetOne(member.Address);
    }

    private void OnChanged(Member member)
    {
        if (_members.ContainsKey(member.Address))
            _members[member.Address] = member;
    }

    private void OnRemoved(Member member)
    {
        if (!_members.TryGetValue(member.Address, out var known) || known.UniqueAddress.Uid != member.UniqueAddress.Uid)
            return;
        Forget(member.Address, _leaving.Contains(member.Address) ? "it left" : "it was removed from the cluster");
        _members.Remove(member.Address);
        _refused.Remove(member.Address);
        _unreachable.Remove(member.Address);
        _leaving.Remove(member.Address);
        _dead.Remove(member.Address);
    }

    private void GreetAll()
    {
        foreach (var address in _members.Keys.Where(a => !_nodes.ContainsKey(a) && !_refused.ContainsKey(a)))
            GreetOne(address);
    }

    private void GreetOne(Address address) =>
        Context.ActorSelection(new RootActorPath(address) / "user" / AgentName).Tell(new Introduce(NodeProtocol.Version, _cluster.SelfAddress.ToString()));

    private void OnIntroduction(Introduction introduction)
    {
        var address = Sender.Path.Address.HasLocalScope ? _cluster.SelfAddress : Sender.Path.Address;
        if (!_members.ContainsKey(address) || _nodes.ContainsKey(address))
            return;
        if (introduction.Version != NodeProtocol.Version)
        {
            string reason = $"{introduction.Name} speaks protocol version {introduction.Version} (release {introduction.Program}), this coordinator speaks {NodeProtocol.Version}. Run the same release on all nodes.";
            if (_refused.TryAdd(address, reason))
                _log.Warning("A node takes no part in jobs: {0}", reason);
            Sender.Tell(new Refused(reason));
            return;
        }

        var node = new ClusterNode(Sender, address, introduction);
        _nodes.Add(address, node);
        Context.Watch(Sender);
        Context.Parent.Tell(new NodeCame(node));
    }

    private void OnLeaving(IActorRef agent)
    {
        if (_nodes.Values.FirstOrDefault(n => n.Agent.Equals(agent)) is not { } node || !_leaving.Add(node.Address))
            return;
        Context.Parent.Tell(new NodeLeaves(node));
    }

    private void OnAgentGone(IActorRef agent)
    {
        if (_nodes.Values.FirstOrDefault(n => n.Agent.Equals(agent)) is { } node)
            Forget(node.Address, _leaving.Contains(node.Address) ? "it left" : "its process or its connection is gone");
    }

    private void Forget(Address address, string reason)
    {
        if (!_nodes.Remove(address, out var node))
            return;
        Context.Unwatch(node.Agent);
        Context.Parent.Tell(new NodeGone(node, reason));
    }

    /// <summary>A connection broke. If nobody listens at the address any more, the process is gone, and nobody needs to wait for the failure detector.</summary>
    private void Probe(Address address)
    {
        if (!_members.ContainsKey(address) || address.Host is not { } host || address.Port is not { } port)
            return;
        PortProbe.IsRefusedAsync(host, port).PipeTo(Self, success: dead => new Probed(address, dead));
    }

    private void OnProbed(Probed probed)
    {
        if (!probed.Dead || !_members.TryGetValue(probed.Address, out var member) || !_dead.Add(probed.Address))
            return;
        _log.Info("Nobody listens at {0} any more: its process is gone.", probed.Address);
        Forget(probed.Address, _leaving.Contains(probed.Address) ? "it left" : "its process is gone");

        // While the dead is a member, nobody can join or leave.
        if (member.Status is not (MemberStatus.Exiting or MemberStatus.Removed))
            _cluster.Down(probed.Address);
    }

    private NodeRecord Describe(Member member)
    {
        var address = member.Address;
        var roles = member.Roles.Where(NodeRole.All.Contains).Order().ToArray();
        string state =
            _refused.TryGetValue(address, out string? reason) ? $"refused: {reason}"
            : _leaving.Contains(address) || member.Status is MemberStatus.Leaving or MemberStatus.Exiting ? "leaving"
            : _unreachable.Contains(address) ? "unreachable"
            : _nodes.ContainsKey(address) ? "up" : "joining";
        return _nodes.TryGetValue(address, out var node)
            ? new(node.Is.Name, address.ToString(), roles, state, node.Is.Lanes, node.Is.Program)
            : new($"{address.Host}:{address.Port}", address.ToString(), roles, state, 0, "");
    }
}
