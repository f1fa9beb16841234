using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ConvNet.Cluster.Nodes;

/// <summary>On a node without the role: says when the cluster has no coordinator any more, so that the node can join again where there is one.</summary>
/// <remarks>
/// A coordinator that is restarted founds a cluster of its own; those who stayed behind in the old one would wait in it for ever.
/// Says once when the node has joined, and once when the last coordinator is gone.
/// </remarks>
internal sealed class CoordinatorWatch : ReceiveActor, IWithTimers
{
    private sealed record Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Instance = new();
    }

    /// <summary>A coordinator that hands over to another is missed for a moment.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RemindInterval = TimeSpan.FromSeconds(10);

    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HashSet<UniqueAddress> _coordinators = [];
    private readonly Action _lost;
    private readonly string _seeds;
    private bool _joined;

    public CoordinatorWatch(IReadOnlyList<string> seeds, Action lost)
    {
        (_lost, _seeds) = (lost, string.Join(", ", seeds));
        Receive<ClusterEvent.MemberUp>(m => OnUp(m.Member));
        Receive<ClusterEvent.MemberExited>(m => OnGone(m.Member));
        Receive<ClusterEvent.MemberDowned>(m => OnGone(m.Member));
        Receive<ClusterEvent.MemberRemoved>(m => OnGone(m.Member));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<Tick>(_ => OnTick());
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Timers.StartPeriodicTimer("remind", Tick.Instance, RemindInterval);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnUp(Member member)
    {
        if (!member.HasRole(NodeRole.Coordinator))
            return;
        _coordinators.Add(member.UniqueAddress);
        Timers.Cancel("lost");
        if (_joined)
            return;
        _joined = true;
        Timers.Cancel("remind");
        _log.Info("Joined the cluster of {0}.", member.Address);
    }

    private void OnGone(Member member)
    {
        if (_coordinators.Remove(member.UniqueAddress) && _coordinators.Count == 0)
            Timers.StartSingleTimer("lost", Tick.Instance, Grace);
    }

    private void OnTick()
    {
        if (!_joined)
        {
            _log.Warning("No coordinator answers at {0} yet; going on trying. Is a node with --roles coordinator running there?", _seeds);
            return;
        }

        if (_coordinators.Count == 0)
            _lost();
    }
}
