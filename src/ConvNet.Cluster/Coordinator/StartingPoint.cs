using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Transport;
using ConvNet.Data.Checkpoints;

namespace ConvNet.Cluster.Coordinator;

/// <summary>What an attempt begins with, a checkpoint or weights from a file, in buffers that can be sent.</summary>
internal sealed class StartingPoint : IDisposable
{
    /// <summary>Copies a checkpoint.</summary>
    public StartingPoint(Checkpoint checkpoint)
    {
        (Step, Epochs) = (checkpoint.Manifest.Step, checkpoint.Manifest.Epochs);
        State = TensorLease.Allocate(checkpoint.State.Length);
        checkpoint.State.CopyTo(State.Span);
        Optimizer = TensorLease.Allocate(checkpoint.Optimizer.Length);
        checkpoint.Optimizer.CopyTo(Optimizer.Span);
        if (checkpoint.Best is not { } best)
            return;
        Best = TensorLease.Allocate(best.Length);
        best.CopyTo(Best.Span);
    }

    /// <summary>Makes version 0 of a job whose nodes cannot make it themselves, as it comes from a file. The optimizer's planes are zeros, and not sent.</summary>
    public StartingPoint(IJobDefinition job)
    {
        (Epochs, Optimizer) = ([], TensorLease.Empty);
        State = TensorLease.Allocate(job.Layout.StateLength);
        job.WriteInitialState(0, State.Span);
    }

    /// <summary>Steps taken.</summary>
    public long Step { get; }

    /// <summary>Weights and statistics.</summary>
    public TensorLease State { get; }

    /// <summary>The optimizer's planes, each for all parameters.</summary>
    public TensorLease Optimizer { get; }

    /// <summary>Weights and statistics of the best epoch before it, where the job keeps them.</summary>
    public TensorLease? Best { get; }

    /// <summary>The metrics up to it.</summary>
    public IReadOnlyList<CheckpointEpoch> Epochs { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        Optimizer.Dispose();
        Best?.Dispose();
    }
}
