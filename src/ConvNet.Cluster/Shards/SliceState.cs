using ConvNet.Cluster.Transport;
using ConvNet.Core.Memory;

namespace ConvNet.Cluster.Shards;

/// <summary>A shard's slice of the state, in its last two versions, and the optimizer's memory of it.</summary>
/// <remarks>A published version is only read, by anyone who holds a lease; the next one is written into another buffer.</remarks>
internal sealed class SliceState : IDisposable
{
    private readonly ShardJob _job;
    private readonly FloatRange _parameters, _range;
    private readonly TensorPool _versions;
    private readonly ISliceUpdate _update;
    private readonly AlignedBuffer _optimizer;
    private TensorLease _current;
    private TensorLease? _previous;

    /// <summary>Version 0, from the job's seed.</summary>
    public SliceState(ShardJob job)
    {
        _job = job;
        (_parameters, _range) = (job.Shards.Parameters(job.Shard), job.Shards.State(job.Shard));
        _versions = new(_range.Length);
        _update = job.Definition.CreateUpdate();
        _optimizer = new(_update.StateLength(_parameters.Length));
        _current = _versions.Rent();
        job.Definition.WriteInitialState(_range.Start, _current.Span);
    }

    /// <summary>The newest version.</summary>
    public long Version { get; private set; }

    /// <summary>The oldest version held that is not older than <paramref name="version"/>; null where there is none yet.</summary>
    public (long Version, TensorLease Weights)? OldestFrom(long version)
    {
        if (version > Version)
            return null;
        return version < Version && _previous is not null ? (Version - 1, _previous) : (Version, _current);
    }

    /// <summary>Makes the next version out of the summed contributions of step <see cref="Version"/>.</summary>
    public void Apply(ReadOnlySpan<float> contribution)
    {
        var next = _versions.Rent();
        _current.Span.CopyTo(next.Span);
        int parameters = _parameters.Length;
        _update.Apply(
            next.Span[..parameters], contribution[..parameters], _optimizer.Span,
            1f / _job.Plan.SamplesOf(Version), Version, _parameters.Start);
        int statistics = _range.Length - parameters;
        if (statistics > 0)
            _update.ApplyStatistics(next.Span[parameters..], contribution.Slice(parameters, statistics), _job.Plan.MicroBatchesOf(Version), Version);

        _previous?.Dispose();
        (_previous, _current) = (_current, next);
        Version++;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _previous?.Dispose();
        _current.Dispose();
        _optimizer.Dispose();
        _versions.Dispose();
    }
}
