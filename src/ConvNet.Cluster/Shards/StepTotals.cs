using System.Runtime.InteropServices;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Numerics;

namespace ConvNet.Cluster.Shards;

/// <summary>What the shards of a job tell one another before a step is applied: each its part of some sums, and all get the same totals.</summary>
/// <remarks>
/// <code>
/// shard 0 ──part──▶ metrics shard ──totals──▶ shard 0
/// shard 1 ──part──▶       │       ──totals──▶ shard 1
///                     adds up; the sums are exact, so the order of the parts does not matter
/// </code>
/// Parts and totals are of one step of one attempt; anything else is ignored. A frame that is lost is made good by asking again: whoever waits sends its part
/// once more, and is answered once the totals are known. With one shard nothing is sent. Part of <see cref="ShardEngine"/>, on its queue.
/// </remarks>
internal sealed class StepTotals : IDisposable
{
    private readonly ShardJob _job;
    private readonly TensorPool _frames;
    private readonly ExactSum[] _own;
    private readonly double[] _values;
    private readonly Dictionary<long, Gathering> _gathering = [];      // metrics shard: by step; at most two
    private TensorTarget[]? _shards;
    private long _ownStep = -1, _completeStep = -1;

    public StepTotals(ShardJob job)
    {
        _job = job;
        _frames = new(job.Sums * ExactSum.Words);
        (_own, _values) = (new ExactSum[job.Sums], new double[job.Sums]);
    }

    /// <summary>Where frames with parts and totals are received.</summary>
    public TensorPool Frames => _frames;

    private bool Gathers => _job.Shard == _job.Shards.MetricsShard;

    /// <summary>Whether the totals of a step are known.</summary>
    public bool IsComplete(long step) => _completeStep == step;

    /// <summary>The totals of the step that is complete.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Where to put this shard's part of a step: zeros, to be added to. <see cref="Offer"/> is next.</summary>
    public Span<ExactSum> BeginPart(long step)
    {
        _ownStep = step;
        Array.Clear(_own);
        return _own;
    }

    /// <summary>This shard's part of a step is there.</summary>
    public void Offer()
    {
        if (Gathers)
            Add(_ownStep, _job.Shard, _own);
        else
            SendPart();
    }

    /// <summary>Where all shards are.</summary>
    public void Meet(TensorTarget[] shards)
    {
        _shards = shards;
        AskAgain();
        foreach (long step in _gathering.Keys.ToArray())
            CompleteIfAll(step);
    }

    /// <summary>Sends this shard's part again if the totals have not come.</summary>
    public void AskAgain()
    {
        if (!Gathers && _ownStep > _completeStep)
            SendPart();
    }

    /// <summary>Another shard's part has come.</summary>
    /// <param name="header">Whose, and of which step.</param>
    /// <param name="words">Its sums.</param>
    public void OnPart(StepSumsHeader header, ReadOnlySpan<float> words)
    {
        // Shards are one step apart at most.
        if (header.Step < _ownStep - 1 || header.Step > _job.Plan.TotalSteps)
            return;
        if (_gathering.TryGetValue(header.Step, out var known) && known.Complete)
        {
            SendTotals(header.Shard, header.Step, known.Totals);   // it has missed them
            return;
        }

        Add(header.Step, header.Shard, Read(words));
    }

    /// <summary>The totals of a step have come.</summary>
    public void OnTotals(StepTotalsHeader header, ReadOnlySpan<float> words)
    {
        if (header.Step == _ownStep && header.Step > _completeStep)
            Complete(header.Step, Read(words));
    }

    /// <inheritdoc/>
    public void Dispose() => _frames.Dispose();

    private void Add(long step, int shard, ReadOnlySpan<ExactSum> part)
    {
        if (!_gathering.TryGetValue(step, out var gathering))
            _gathering.Add(step, gathering = new(_job.Sums));
        if (!gathering.Have.Add(shard))
            return;
        for (int i = 0; i < part.Length; i++)
            gathering.Totals[i].Add(part[i]);
        CompleteIfAll(step);
    }

    private void CompleteIfAll(long step)
    {
        var gathering = _gathering[step];
        if (gathering.Complete || gathering.Have.Count < _job.Shards.Shards || (_shards is null && _job.Shards.Shards > 1))
            return;
        gathering.Complete = true;
        foreach (long old in _gathering.Keys.Where(s => s < step - 1).ToArray())
            _gathering.Remove(old);
        Complete(step, gathering.Totals);
        for (int shard = 0; shard < _job.Shards.Shards; shard++)
        {
            if (shard != _job.Shard)
                SendTotals(shard, step, gathering.Totals);
        }
    }

    private void Complete(long step, ReadOnlySpan<ExactSum> totals)
    {
        _completeStep = step;
        for (int i = 0; i < totals.Length; i++)
            _values[i] = totals[i].Value;
    }

    private void SendPart()
    {
        if (_shards is { } shards)
            _job.Transport.Send(shards[_job.Shards.MetricsShard], new StepSumsHeader(_ownStep, _job.Shard), Written(_own));
    }

    private void SendTotals(int shard, long step, ReadOnlySpan<ExactSum> totals)
    {
        if (_shards is { } shards)
            _job.Transport.Send(shards[shard], new StepTotalsHeader(step), Written(totals));
    }

    /// <summary>Words travel in the place of floats: as they are, since nobody computes with them on the way.</summary>
    private TensorLease Written(ReadOnlySpan<ExactSum> sums)
    {
        var frame = _frames.Rent();
        Span<uint> words = MemoryMarshal.Cast<float, uint>(frame.Span);
        for (int i = 0; i < sums.Length; i++)
            sums[i].Write(words.Slice(i * ExactSum.Words, ExactSum.Words));
        return frame;
    }

    private static ExactSum[] Read(ReadOnlySpan<float> frame)
    {
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<float, uint>(frame);
        var sums = new ExactSum[words.Length / ExactSum.Words];
        for (int i = 0; i < sums.Length; i++)
            sums[i] = ExactSum.Read(words.Slice(i * ExactSum.Words, ExactSum.Words));
        return sums;
    }

    private sealed class Gathering(int sums)
    {
        public ExactSum[] Totals { get; } = new ExactSum[sums];

        public HashSet<int> Have { get; } = [];

        public bool Complete { get; set; }
    }
}
