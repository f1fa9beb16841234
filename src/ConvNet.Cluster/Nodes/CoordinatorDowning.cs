using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ConvNet.Cluster.Nodes;

/// <summary>Takes out of the cluster who cannot be reached, by <see cref="CutOffRule"/>. Named in cluster.conf; made by Akka.Cluster.</summary>
public sealed class CoordinatorDowning : IDowningProvider
{
    /// <summary>As Akka.Cluster calls it.</summary>
    /// <param name="system">The system that the cluster belongs to.</param>
    /// <param name="cluster">The node's view of the cluster.</param>
    public CoordinatorDowning(ActorSystem system, AkkaCluster cluster) => DowningActorProps = Props.Create(() => new CoordinatorDowningActor(cluster));

    /// <summary>How long another coordinator waits before it takes over from one that was removed, which may not know of it yet.</summary>
    public TimeSpan DownRemovalMargin { get; } = CutOffRule.Patience * CoordinatorDowningActor.Interval;

    /// <inheritdoc/>
    public Props DowningActorProps { get; }
}

/// <summary>Looks once a second.</summary>
internal sealed class CoordinatorDowningActor : ReceiveActor, IWithTimers
{
    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }

    /// <summary>From look to look.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly AkkaCluster _cluster;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CutOffRule _rule = new();

    public CoordinatorDowningActor(AkkaCluster cluster)
    {
        _cluster = cluster;
        Receive<Look>(_ => OnLook());
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer("look", Look.Instance, Interval);

    private void OnLook()
    {
        var state = _cluster.State;
        Member[] all = [.. state.Members.Where(m => m.Status is not (MemberStatus.Down or MemberStatus.Exiting or MemberStatus.Removed)).OrderBy(m => m, Member.AgeOrdering)];
        var oldest = all.FirstOrDefault(m => m.HasRole(NodeRole.Coordinator) && m.Status is MemberStatus.Up or MemberStatus.Leaving)?.UniqueAddress;
        var others = all.Where(m => !m.UniqueAddress.Equals(_cluster.SelfUniqueAddress)).Select(m => new Sight(
            m.UniqueAddress,
            _cluster.FailureDetector.IsMonitoring(m.Address) ? _cluster.FailureDetector.IsAvailable(m.Address) : null,
            state.Unreachable.Contains(m)));
        foreach (var node in _rule.Look(_cluster.SelfUniqueAddress, oldest, [.. others]))
        {
            _log.Warning(node.Equals(_cluster.SelfUniqueAddress) ? "{0} has not heard the coordinator for long: it leaves, to join again." : "{0} has not been heard for long: it is removed from the cluster.", node.Address);
            _cluster.Down(node.Address);
        }
    }
}
