using ConvNet.Cluster.Lanes;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using ConvNet.Data;
using ConvNet.Data.Augmentation;
using ConvNet.Data.Batches;
using ConvNet.Data.Manifests;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Sampling;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job that trains a network, with the data it is trained on.</summary>
public sealed class NetworkJob : NetworkJobDefinition, IJobRuntime
{
    private readonly EpochOrder _order;
    private readonly ExecutionPlan _execution;
    private readonly ulong _seed;
    private readonly float _labelSmoothing;
    private readonly ReadAhead? _ahead;

    /// <summary>Makes a job ready.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="data">The data that it names.</param>
    /// <param name="saved">The file that its weights begin with; null where it begins with none, or only its lanes are used.</param>
    /// <exception cref="ShapeException">The network cannot be built for such images.</exception>
    /// <exception cref="DataException">So few images are there that none would be left for one part of the validation split; or the file does not fit the network.</exception>
    public NetworkJob(JobSpec spec, DataSplits data, SavedTensors? saved = null)
        : base(spec, DataDescription.Of(data), saved)
    {
        (Data, _seed, _labelSmoothing) = (ValidationSplit.Of(data, spec.Validation, spec.Seed), spec.Seed, spec.LabelSmoothing);
        var augmentation = ImageAugmentation.Parse(spec.Augment) ?? throw new ArgumentException($"'{spec.Augment}' is no augmentation.", nameof(spec));
        _order = new EpochOrder(spec.Seed, Data.Training.Count);
        _execution = new ExecutionPlan(Network, spec.MicroBatch);
        if (!augmentation.IsNone || !Data.Training.InMemory || !Data.Test.InMemory)
            _ahead = new ReadAhead(Plan, Data, _order, _seed, augmentation);
    }

    /// <summary>What it learns from and is measured on, after the validation split.</summary>
    public DataSplits Data { get; }

    /// <inheritdoc/>
    public IMicroBatchLane CreateLane() => new NetworkLane(_execution, Plan, Data, _order, _seed, _labelSmoothing, _ahead);
}
