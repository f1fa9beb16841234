using ConvNet.Cluster.Transport;
using ConvNet.Core.Memory;
using ConvNet.Core.Numerics;

namespace ConvNet.Cluster.Shards;

/// <summary>A shard's slice of the state, in its last two versions, and the optimizer's memory of it.</summary>
/// <remarks>A published version is only read, by anyone who holds a lease; the next one is written into another buffer.</remarks>
internal sealed class SliceState : IDisposable
{
    private readonly ShardJob _job;
    private readonly FloatRange _parameters, _range;
    private readonly TensorPool _versions;
    private readonly ISliceUpdate _update;
    private readonly TensorLease _optimizer;
    private TensorLease _current;
    private TensorLease? _previous;

    /// <summary>The version that the attempt begins with: version 0, from the job's seed, or what <paramref name="restore"/> puts into its place.</summary>
    /// <param name="job">Which shard of what.</param>
    /// <param name="restore">Fills the shard's state and the planes of its optimizer; null for a version 0 from the seed.</param>
    public SliceState(ShardJob job, Action<TensorLease, TensorLease>? restore)
    {
        _job = job;
        (_parameters, _range) = (job.Shards.Parameters(job.Shard), job.Shards.State(job.Shard));
        _versions = new(_range.Length);
        _update = job.Definition.CreateUpdate();
        _optimizer = TensorLease.Allocate(_update.StatePlanes * _parameters.Length);
        _current = _versions.Rent();
        Version = job.FirstVersion;
        if (restore is null)
            job.Definition.WriteInitialState(_range.Start, _current.Span);
        else
            restore(_current, _optimizer);
    }

    /// <summary>The newest version.</summary>
    public long Version { get; private set; }

    /// <summary>What a checkpoint needs of the newest version: the published weights, which nobody changes any more, and a copy of the optimizer's state, which the next step changes.</summary>
    public Snapshot TakeSnapshot()
    {
        var optimizer = TensorLease.Allocate(_optimizer.Length);
        _optimizer.Span.CopyTo(optimizer.Span);
        return new(Version, _current.Share(), optimizer, _parameters.Length);
    }

    /// <summary>The oldest version held that is not older than <paramref name="version"/>; null where there is none yet.</summary>
    public (long Version, TensorLease Weights)? OldestFrom(long version)
    {
        if (version > Version)
            return null;
        return version < Version && _previous is not null ? (Version - 1, _previous) : (Version, _current);
    }

    /// <summary>Looks at the summed contributions of step <see cref="Version"/>, once, before they are applied; see <see cref="ISliceUpdate.Prepare"/>.</summary>
    public void Prepare(Span<float> contribution, Span<ExactSum> sums)
    {
        int parameters = _parameters.Length;
        _update.Prepare(_current.Span[..parameters], contribution[..parameters], 1f / _job.Plan.SamplesOf(Version), _parameters.Start, sums);
    }

    /// <summary>Makes the next version out of the summed contributions of step <see cref="Version"/>.</summary>
    /// <param name="contribution">The sum, prepared.</param>
    /// <param name="totals">The sums over all shards.</param>
    public void Apply(ReadOnlySpan<float> contribution, ReadOnlySpan<double> totals)
    {
        var next = _versions.Rent();
        int parameters = _parameters.Length;
        _current.Span[parameters..].CopyTo(next.Span[parameters..]);
        _update.Apply(
            _current.Span[..parameters], next.Span[..parameters], contribution[..parameters], _optimizer.Span,
            1f / _job.Plan.SamplesOf(Version), Version, _parameters.Start, totals);
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
