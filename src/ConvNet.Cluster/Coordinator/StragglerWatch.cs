using ConvNet.Core.Training;

namespace ConvNet.Cluster.Coordinator;

/// <summary>Notices that a step takes far longer than usual, finds out who is behind, and who of them has caught up. Pure: time is passed in.</summary>
/// <remarks>
/// <code>
/// Watching ──overdue: ask all──▶ Asked ──all answered, or Grace over──▶ Watching: those that did not answer "idle" are behind
///    ▲                             │ progress                                     (nobody idle: all are slow; twice the patience)
///    └─────────────────────────────┘
/// </code>
/// A worker that is behind has no share, so it can hold up nothing: a frozen one costs one delay, not one each step. It is asked from time to time,
/// and has caught up when it is idle at a version that was the newest when it was asked. One that falls behind again soon is trusted later each time.
/// </remarks>
internal sealed class StragglerWatch(StepPlan plan, TimeSpan leastPatience)
{
    /// <summary>Nobody is suspected before this, however short steps are, unless told otherwise: threads may have to wait that long for a core.</summary>
    public static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(250);

    /// <summary>The first step has no usual time to be compared with, and finds everything cold.</summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);

    /// <summary>How long an answer may take.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(100);

    /// <summary>A worker that is behind is asked again after this, answer or not: an answer may be lost.</summary>
    public static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(2);

    /// <summary>How long a worker that has fallen behind for the second time is out at least; doubled each further time.</summary>
    public static readonly TimeSpan FirstProbation = TimeSpan.FromSeconds(1);

    /// <summary>The longest that a worker is out although it has caught up, and how long it must have done well to be trusted as at first.</summary>
    public static readonly TimeSpan LongestProbation = TimeSpan.FromMinutes(1);

    private const double TimesUsual = 4, Newest = 0.2;

    private sealed record Lagging(TimeSpan Until)
    {
        public TimeSpan? Asked { get; set; }

        public long AskedAt { get; set; }
    }

    private readonly Dictionary<int, Lagging> _behind = [];
    private readonly Dictionary<int, (int Times, TimeSpan Last)> _past = [];
    private readonly Dictionary<int, (long Version, bool Idle)> _answers = [];
    private readonly HashSet<int> _asked = [];
    private TimeSpan _news, _roundBegan;
    private double? _usual;             // seconds of a step
    private long _version, _evaluated = -1;
    private int _doublings;

    /// <summary>How long nothing may happen before somebody is suspected.</summary>
    public TimeSpan Patience
    {
        get
        {
            var patience = _usual is { } usual ? TimeSpan.FromSeconds(TimesUsual * usual * StepsUntilNews) : FirstPatience;
            return (patience > leastPatience ? patience : leastPatience) * (1L << Math.Min(_doublings, 20));
        }
    }

    /// <summary>An evaluation is news only when it is complete, and may be as long as many steps.</summary>
    private double StepsUntilNews => plan.EvaluatesAt(_version) && _evaluated < _version ? 1 + ((double)plan.EvaluationMicroBatches / plan.MicroBatchesOf(0)) : 1;

    /// <summary>The work has been shared anew: whoever has more to do now needs time for it.</summary>
    public void OnShared(TimeSpan now)
    {
        EndRound();
        (_news, _doublings) = (now, _usual is null ? 0 : 2);
    }

    /// <summary>Steps have been applied.</summary>
    /// <param name="now">The time.</param>
    /// <param name="steps">How many.</param>
    /// <param name="version">The version that came of the last of them.</param>
    public void OnSteps(TimeSpan now, int steps, long version)
    {
        double took = (now - _news).TotalSeconds / steps;
        _usual = _usual is { } usual ? usual + (Newest * (Math.Min(took, TimesUsual * usual) - usual)) : took;
        _version = Math.Max(_version, version);
        Progress(now);
    }

    /// <summary>A version has been evaluated.</summary>
    public void OnEvaluated(TimeSpan now, long version)
    {
        (_version, _evaluated) = (Math.Max(_version, version), version);
        Progress(now);
    }

    /// <summary>Time goes by.</summary>
    /// <param name="now">The time.</param>
    /// <param name="ready">The workers that take part.</param>
    /// <returns>Whom to ask how far they are, and who has turned out to be far behind.</returns>
    public (IReadOnlyList<int> Ask, IReadOnlyList<int> Behind) Tick(TimeSpan now, IReadOnlyCollection<int> ready)
    {
        int[] sharing = [.. ready.Where(w => !_behind.ContainsKey(w))];
        if (_asked.Count > 0)
        {
            bool complete = sharing.All(w => !_asked.Contains(w) || _answers.ContainsKey(w));
            return complete || now - _roundBegan >= Grace ? (AskThoseBehind(now), Decide(now, sharing)) : ([], []);
        }

        var ask = AskThoseBehind(now);
        if (sharing.Length < 2 || now - _news <= Patience)
            return (ask, []);
        _asked.UnionWith(sharing);
        _roundBegan = now;
        return ([.. ask, .. sharing], []);
    }

    /// <summary>A worker has answered.</summary>
    /// <returns>Whether it was behind and has caught up.</returns>
    public bool OnAnswer(TimeSpan now, int worker, long version, bool idle)
    {
        if (_asked.Contains(worker))
            _answers[worker] = (version, idle);
        if (!_behind.TryGetValue(worker, out var lagging) || lagging.Asked is null)
            return false;
        lagging.Asked = null;
        if (!idle || version < lagging.AskedAt || now < lagging.Until)
            return false;
        _behind.Remove(worker);
        return true;
    }

    /// <summary>A worker is gone.</summary>
    public void Forget(int worker)
    {
        _behind.Remove(worker);
        _past.Remove(worker);
        _asked.Remove(worker);
        _answers.Remove(worker);
    }

    private void Progress(TimeSpan now)
    {
        EndRound();
        (_news, _doublings) = (now, 0);
    }

    private void EndRound()
    {
        _asked.Clear();
        _answers.Clear();
    }

    private int[] Decide(TimeSpan now, int[] sharing)
    {
        long newest = _answers.Count == 0 ? _version : _answers.Values.Max(a => a.Version);
        int[] asked = [.. sharing.Where(_asked.Contains)];
        int[] behind = [.. asked.Where(w => !_answers.TryGetValue(w, out var a) || !a.Idle || a.Version < newest)];
        EndRound();

        // Steps are reported a few at a time: workers may be at an evaluation of which nothing has been heard yet.
        _version = Math.Max(_version, newest);
        if (now - _news <= Patience)
            return [];
        if (behind.Length == 0 || behind.Length == asked.Length)
        {
            _doublings++;
            return [];
        }

        foreach (int worker in behind)
            _behind.Add(worker, new(now + Probation(worker, now)));
        return behind;
    }

    private TimeSpan Probation(int worker, TimeSpan now)
    {
        var past = _past.GetValueOrDefault(worker);
        int times = past.Times > 0 && now - past.Last < LongestProbation * 2 ? past.Times + 1 : 1;
        _past[worker] = (times, now);
        if (times == 1)
            return TimeSpan.Zero;
        var probation = FirstProbation * (1L << Math.Min(times - 2, 20));
        return probation < LongestProbation ? probation : LongestProbation;
    }

    private int[] AskThoseBehind(TimeSpan now)
    {
        int[] ask = [.. _behind.Where(b => b.Value.Asked is not { } asked || now - asked >= AskAgain).Select(b => b.Key)];
        foreach (int worker in ask)
            (_behind[worker].Asked, _behind[worker].AskedAt) = (now, _version);
        return ask;
    }
}
