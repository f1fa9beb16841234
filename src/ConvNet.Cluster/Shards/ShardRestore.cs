using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Shards;

/// <summary>Gets a shard's range of what an attempt begins with from the coordinator's node, part by part.</summary>
internal sealed class ShardRestore : ITensorReceiver, IDisposable
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    private readonly ManualResetEventSlim _come = new();
    private readonly ShardJob _job;
    private readonly TensorTarget _replyTo;
    private readonly IDisposable _open;
    private TensorLease _place = TensorLease.Empty;
    private int _part = -1;

    private ShardRestore(ShardJob job)
    {
        _job = job;
        _replyTo = job.Target with { Part = $"{job.Target.Part}-restore" };
        _open = job.Transport.Open(_replyTo, this);
    }

    /// <summary>Fills the shard's state and its optimizer's planes. Waits on the calling thread, which is the shard's own.</summary>
    /// <exception cref="OperationCanceledException">The shard was stopped meanwhile.</exception>
    public static void Pull(ShardJob job, TensorLease state, TensorLease optimizer, CancellationToken stop)
    {
        using var restore = new ShardRestore(job);
        restore.PullPart(0, state.Share(), stop);
        if (job.FirstVersion == 0)
            return;   // before the first step the optimizer's planes are the zeros that they are already
        int parameters = job.Shards.Parameters(job.Shard).Length;
        for (int plane = 0; (plane + 1) * parameters <= optimizer.Length && parameters > 0; plane++)
            restore.PullPart(plane + 1, optimizer.Slice(plane * parameters, parameters), stop);
    }

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length)
    {
        if (header is not RestoreHeader h || h.Part != Volatile.Read(ref _part) || _come.IsSet)
            return TensorDestination.Refuse($"shard {_job.Shard} did not ask for {header}");
        return length == _place.Length ? TensorDestination.Into(_place.Share()) : TensorDestination.Refuse($"expected {_place.Length} floats, got {length}");
    }

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        values.Dispose();
        _come.Set();
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header)
    {
        // It is asked for again.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _open.Dispose();
        _come.Dispose();
    }

    private void PullPart(int part, TensorLease place, CancellationToken stop)
    {
        using (place)
        {
            _come.Reset();
            _place = place;
            Volatile.Write(ref _part, part);
            do
                _job.Transport.Send(_job.Restore!, new RestoreRequest(_job.Shard, part, _replyTo), TensorLease.Empty);
            while (!_come.Wait(AskAgainAfter, stop));
        }
    }
}
