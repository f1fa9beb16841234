using ConvNet.Cluster.Lanes;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using ConvNet.Data;
using ConvNet.Data.Augmentation;
using ConvNet.Data.Manifests;
using ConvNet.Data.Sampling;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job that trains a network, with the data it is trained on.</summary>
public sealed class NetworkJob : NetworkJobDefinition, IJobRuntime
{
    private readonly DataSplits _data;
    private readonly EpochOrder _order;
    private readonly ExecutionPlan _execution;
    private readonly ulong _seed;
    private readonly float _labelSmoothing;
    private readonly ImageAugmentation _augmentation;

    /// <summary>Makes a job ready.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="data">The data that it names.</param>
    /// <exception cref="ShapeException">The network cannot be built for such images.</exception>
    public NetworkJob(JobSpec spec, DataSplits data)
        : base(spec, DataDescription.Of(data))
    {
        (_data, _seed, _labelSmoothing) = (data, spec.Seed, spec.LabelSmoothing);
        _augmentation = ImageAugmentation.Parse(spec.Augment) ?? throw new ArgumentException($"'{spec.Augment}' is no augmentation.", nameof(spec));
        _order = new EpochOrder(spec.Seed, data.Training.Count);
        _execution = new ExecutionPlan(Network, spec.MicroBatch);
    }

    /// <inheritdoc/>
    public IMicroBatchLane CreateLane() => new NetworkLane(_execution, Plan, _data, _order, _seed, _augmentation, _labelSmoothing);
}
