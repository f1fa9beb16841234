using System.Collections.Immutable;
using ConvNet.Cluster.Shares;

namespace ConvNet.Cluster.Coordinator;

/// <summary>What is to be done after a change among the workers.</summary>
internal abstract record Reshare
{
    /// <summary>Nothing.</summary>
    public sealed record Nothing : Reshare
    {
        public static readonly Nothing Instance = new();
    }

    /// <summary>Share the work anew: worker <c>Workers[i]</c> has place i and weight <c>Weights[i]</c>. Numbers only grow.</summary>
    public sealed record Share(int Number, ImmutableArray<int> Workers, ImmutableArray<int> Weights) : Reshare;

    /// <summary>There is no worker, and none is on its way.</summary>
    public sealed record NobodyLeft : Reshare
    {
        public static readonly NobodyLeft Instance = new();
    }
}

/// <summary>Who takes part in a job, how fast each is, and when the work is to be shared anew. Pure: no clock, no I/O, no Akka.</summary>
/// <param name="MicroBatches">Micro-batches of a step.</param>
/// <remarks>
/// At the beginning, the work is shared when no worker is on its way any more, so that nobody does the work of one who comes a moment later; or when
/// that takes too long (<see cref="BeginWithThoseReady"/>).
/// </remarks>
internal sealed record Roster(int MicroBatches)
{
    /// <summary>Workers that were told to start and are not ready.</summary>
    public ImmutableSortedSet<int> Starting { get; private init; } = [];

    /// <summary>Workers that take part.</summary>
    public ImmutableSortedSet<int> Ready { get; private init; } = [];

    /// <summary>Those of them that are far behind: they have no share until they have caught up.</summary>
    public ImmutableSortedSet<int> Behind { get; private init; } = [];

    /// <summary>Speeds, as far as they have been told.</summary>
    public ImmutableDictionary<int, Pace> Paces { get; private init; } = ImmutableDictionary<int, Pace>.Empty;

    /// <summary>Assignments made so far.</summary>
    public int Shares { get; private init; }

    /// <summary>The weights of the last one, in the order of <see cref="Ready"/>.</summary>
    public ImmutableArray<int> Weights { get; private init; } = [];

    /// <summary>Workers that have no share, although they are not behind: there are too few micro-batches for them.</summary>
    public IEnumerable<int> WithoutShare => Weights.Length == Ready.Count ? Ready.Where((w, place) => Weights[place] == 0 && !Behind.Contains(w)) : [];

    /// <summary>A worker has been told to start.</summary>
    public Roster Start(int worker) => this with { Starting = Starting.Add(worker) };

    /// <summary>A worker holds the weights.</summary>
    public (Roster Next, Reshare Reshare) OnReady(int worker) =>
        Starting.Contains(worker)
            ? (this with { Starting = Starting.Remove(worker), Ready = Ready.Add(worker) }).Changed(true)
            : (this, Reshare.Nothing.Instance);

    /// <summary>A worker is gone.</summary>
    public (Roster Next, Reshare Reshare) OnLost(int worker) =>
        (this with
        {
            Starting = Starting.Remove(worker),
            Ready = Ready.Remove(worker),
            Behind = Behind.Remove(worker),
            Paces = Paces.Remove(worker),
        }).Changed(Ready.Contains(worker));

    /// <summary>Those on their way take long: the others begin.</summary>
    public (Roster Next, Reshare Reshare) BeginWithThoseReady() =>
        Shares == 0 && !Ready.IsEmpty ? Share() : (this, Reshare.Nothing.Instance);

    /// <summary>A worker has told its speed. The work is shared anew if that is worth it.</summary>
    public (Roster Next, Reshare Reshare) OnSpeed(int worker, Pace pace) =>
        Ready.Contains(worker) ? (this with { Paces = Paces.SetItem(worker, pace) }).IfWorthIt() : (this, Reshare.Nothing.Instance);

    /// <summary>A worker's speed was measured long ago: it counts as unknown.</summary>
    public (Roster Next, Reshare Reshare) ForgetSpeed(int worker) => (this with { Paces = Paces.Remove(worker) }).IfWorthIt();

    /// <summary>Workers are far behind: the others take over.</summary>
    public (Roster Next, Reshare Reshare) OnBehind(IEnumerable<int> workers) => WithBehind(Behind.Union(workers).Intersect(Ready));

    /// <summary>A worker has caught up: it has its share again.</summary>
    public (Roster Next, Reshare Reshare) OnCaughtUp(int worker) => WithBehind(Behind.Remove(worker));

    private (Roster Next, Reshare Reshare) WithBehind(ImmutableSortedSet<int> behind) =>
        behind.SetEquals(Behind) ? (this, Reshare.Nothing.Instance) : (this with { Behind = behind }).Changed(true);

    private (Roster Next, Reshare Reshare) Changed(bool changed)
    {
        if (Ready.IsEmpty)
            return (this, Starting.IsEmpty ? Reshare.NobodyLeft.Instance : Reshare.Nothing.Instance);
        return (Shares == 0 ? Starting.IsEmpty : changed) ? Share() : (this, Reshare.Nothing.Instance);
    }

    private (Roster Next, Reshare Reshare) IfWorthIt()
    {
        if (Shares == 0)
            return (this, Reshare.Nothing.Instance);
        var paces = SpeedPolicy.Completed([.. Ready.Select(PaceOf)]);
        double now = SpeedPolicy.StepTime(MicroBatches, Weights, paces), best = SpeedPolicy.StepTime(MicroBatches, BestWeights(), paces);
        return now > best * SpeedPolicy.WorthIt ? Share() : (this, Reshare.Nothing.Instance);
    }

    private (Roster Next, Reshare Reshare) Share()
    {
        ImmutableArray<int> weights = [.. BestWeights()];
        return (this with { Shares = Shares + 1, Weights = weights }, new Reshare.Share(Shares, [.. Ready], weights));
    }

    /// <summary>By place. Where all are behind, nobody is: somebody must do the work.</summary>
    private int[] BestWeights()
    {
        var sharing = Ready.Except(Behind);
        if (sharing.IsEmpty)
            sharing = Ready;
        int[] among = SpeedPolicy.Best(MicroBatches, SpeedPolicy.Completed([.. sharing.Select(PaceOf)]));
        return [.. Ready.Select(w => sharing.IndexOf(w) is >= 0 and var place ? among[place] : 0)];
    }

    private Pace? PaceOf(int worker) => Paces.TryGetValue(worker, out var pace) ? pace : null;
}
