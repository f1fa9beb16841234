using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Jobs;

/// <summary>What came of a job. Dispose it to give the weights back.</summary>
public sealed class JobResult : IDisposable
{
    private readonly TensorLease _state;

    internal JobResult(TensorLease state, long version, bool stopped, IReadOnlyList<EpochResult> epochs, Throughput throughput, int? bestEpoch = null)
    {
        (_state, Version, Stopped, Epochs, Throughput, BestEpoch) = (state, version, stopped, epochs, throughput, bestEpoch);
        WeightsSha256 = WeightsHash.Of(state.Span);
    }

    /// <summary>Weights and running statistics: the state of the network.</summary>
    public ReadOnlySpan<float> State => _state.Span;

    /// <summary>SHA-256 of <see cref="State"/>.</summary>
    public string WeightsSha256 { get; }

    /// <summary>Steps taken.</summary>
    public long Version { get; }

    /// <summary>Whether the job was stopped before its last step by somebody. One that ends early by its own recipe was not.</summary>
    public bool Stopped { get; }

    /// <summary>The epoch, from 0, whose weights these are, in a job that keeps the best; null where they are those of the last step.</summary>
    public int? BestEpoch { get; }

    /// <summary>The metrics of the weights: those of the epoch that they are of; null where no epoch was begun.</summary>
    public EpochResult? Kept => Epochs.FirstOrDefault(e => e.Epoch == BestEpoch) ?? (Epochs.Count > 0 ? Epochs[^1] : null);

    /// <summary>The epochs that were begun, in order.</summary>
    public IReadOnlyList<EpochResult> Epochs { get; }

    /// <summary>How fast it went.</summary>
    public Throughput Throughput { get; }

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();
}

/// <summary>One epoch of a job.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Samples">Training samples used.</param>
/// <param name="TrainLoss">Mean loss over them, each with the weights of its step.</param>
/// <param name="TrainAccuracy">Share of right answers among them, from 0 to 1.</param>
/// <param name="TestLoss">Mean loss over the test set, with the weights at the end of the epoch; null where it was not evaluated.</param>
/// <param name="TestAccuracy">Share of right answers on the test set, from 0 to 1.</param>
/// <param name="TestTop5">Share of test samples whose class was among the five most probable; null where <see cref="TellsTop5"/> is false.</param>
public sealed record EpochResult(
    int Epoch, long Samples, double TrainLoss, double TrainAccuracy, double? TestLoss, double? TestAccuracy, double? TestTop5 = null)
{
    /// <summary>Whether there are so many classes, more than ten, that to be among the five most probable means something.</summary>
    public static bool TellsTop5(int classes) => classes > 10;
}

/// <summary>How fast a job went. The only part of a result that is not the same every time.</summary>
/// <param name="Elapsed">From the first assignment to the last step or evaluation.</param>
/// <param name="Training">The part of it that steps took.</param>
/// <param name="Samples">Training samples used.</param>
public sealed record Throughput(TimeSpan Elapsed, TimeSpan Training, long Samples)
{
    /// <summary>Training samples a second, evaluations left out.</summary>
    public double SamplesPerSecond => Training > TimeSpan.Zero ? Samples / Training.TotalSeconds : 0;
}

/// <summary>A job could not be brought to its end. The message says where, what and what to do.</summary>
public sealed class JobFailedException(string message) : Exception(message);
