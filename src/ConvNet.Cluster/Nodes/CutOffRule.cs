using System.Collections.Immutable;
using Akka.Cluster;

namespace ConvNet.Cluster.Nodes;

/// <summary>What a node knows of another at one look.</summary>
/// <param name="Node">The other.</param>
/// <param name="Hears">Whether this node itself hears its heartbeat; null where it does not listen to it, as in large clusters.</param>
/// <param name="IsSuspected">Whether anybody in the cluster says that it is unreachable.</param>
internal readonly record struct Sight(UniqueAddress Node, bool? Hears, bool IsSuspected);

/// <summary>Decides who is taken out of a cluster whose nodes cannot all reach each other: what stays is what the coordinator reaches, for there is the job.</summary>
/// <remarks>
/// <para>The oldest coordinator removes whom it cannot reach, and never itself. Every other node that cannot reach the oldest coordinator removes itself, and
/// joins again when it can. So there are never two coordinators of one job, and a cable that is mended at any moment never costs the coordinator.</para>
/// <para>A node's own ears count for more than what others say: somebody who was cut off comes back with the tale that all the others are gone.
/// Only when one is suspected for long, the coordinator believes it: two nodes that reach the coordinator but not each other would otherwise stand still
/// for ever. It then removes the youngest of them, and looks again.</para>
/// <para>Time is counted in looks, not by a clock: a process that was frozen has not looked.</para>
/// <para>The resolvers that come with Akka.Cluster are not used, as they may remove everyone, with the oldest: when the lists of two sides meet again at
/// the wrong moment, all are "indirectly connected" (and so is down-all-when-unstable).</para>
/// </remarks>
internal sealed class CutOffRule
{
    /// <summary>Looks in a row, about a second each, after which a node that is not heard is cut off.</summary>
    public const int Patience = 5;

    /// <summary>Looks in a row after which others are believed.</summary>
    public const int PatienceWithRumours = 30;

    private readonly Dictionary<UniqueAddress, (int Unheard, int Suspected)> _counts = [];

    /// <summary>Looks once.</summary>
    /// <param name="self">This node.</param>
    /// <param name="oldestCoordinator">The oldest coordinator; null where the cluster has none.</param>
    /// <param name="others">All other members, the oldest first.</param>
    /// <returns>Who is to be removed.</returns>
    public ImmutableArray<UniqueAddress> Look(UniqueAddress self, UniqueAddress? oldestCoordinator, IReadOnlyList<Sight> others)
    {
        foreach (var gone in _counts.Keys.Except(others.Select(o => o.Node)).ToArray())
            _counts.Remove(gone);
        foreach (var other in others)
        {
            var (unheard, suspected) = _counts.GetValueOrDefault(other.Node);
            _counts[other.Node] = (other.Hears ?? !other.IsSuspected ? 0 : unheard + 1, other.IsSuspected ? suspected + 1 : 0);
        }

        if (oldestCoordinator is null)
            return [];
        if (!oldestCoordinator.Equals(self))
            return _counts.TryGetValue(oldestCoordinator, out var coordinator) && coordinator.Unheard >= Patience ? [self] : [];

        var cutOff = others.Where(o => _counts[o.Node].Unheard >= Patience).Select(o => o.Node).ToImmutableArray();
        if (!cutOff.IsEmpty)
            return cutOff;
        var rumoured = others.Where(o => _counts[o.Node].Suspected >= PatienceWithRumours).ToArray();
        if (rumoured.Length == 0)
            return [];
        foreach (var other in others)
            _counts[other.Node] = (_counts[other.Node].Unheard, 0);   // without the one, the others may see each other again
        return [rumoured[^1].Node];
    }
}
