using System.Collections.Immutable;

namespace ConvNet.Cluster.Coordinator;

/// <summary>What is to be done after a change among the workers.</summary>
internal abstract record Reshare
{
    /// <summary>Nothing.</summary>
    public sealed record Nothing : Reshare
    {
        public static readonly Nothing Instance = new();
    }

    /// <summary>Share the work anew: worker <c>Workers[i]</c> has place i. Numbers only grow.</summary>
    public sealed record Share(int Number, ImmutableArray<int> Workers) : Reshare;

    /// <summary>There is no worker, and none is on its way.</summary>
    public sealed record NobodyLeft : Reshare
    {
        public static readonly NobodyLeft Instance = new();
    }
}

/// <summary>Who takes part in a job, and when the work is to be shared anew. Pure: no clock, no I/O, no Akka.</summary>
/// <param name="Starting">Workers that were told to start and are not ready.</param>
/// <param name="Ready">Workers that take part.</param>
/// <param name="Shares">Assignments made so far.</param>
/// <remarks>At the beginning, the work is shared when no worker is on its way any more, so that nobody does the work of one who comes a moment later.</remarks>
internal sealed record Roster(ImmutableSortedSet<int> Starting, ImmutableSortedSet<int> Ready, int Shares)
{
    /// <summary>Nobody, yet.</summary>
    public static Roster Empty { get; } = new([], [], 0);

    /// <summary>A worker has been told to start.</summary>
    public Roster Start(int worker) => this with { Starting = Starting.Add(worker) };

    /// <summary>A worker holds the weights.</summary>
    public (Roster Next, Reshare Reshare) OnReady(int worker) =>
        Starting.Contains(worker)
            ? (this with { Starting = Starting.Remove(worker), Ready = Ready.Add(worker) }).Share(changed: true)
            : (this, Reshare.Nothing.Instance);

    /// <summary>A worker is gone.</summary>
    public (Roster Next, Reshare Reshare) OnLost(int worker) =>
        (this with { Starting = Starting.Remove(worker), Ready = Ready.Remove(worker) }).Share(changed: Ready.Contains(worker));

    private (Roster Next, Reshare Reshare) Share(bool changed)
    {
        if (Ready.IsEmpty)
            return (this, Starting.IsEmpty ? Reshare.NobodyLeft.Instance : Reshare.Nothing.Instance);
        bool first = Shares == 0;
        if (first ? !Starting.IsEmpty : !changed)
            return (this, Reshare.Nothing.Instance);
        return (this with { Shares = Shares + 1 }, new Reshare.Share(Shares, [.. Ready]));
    }
}
