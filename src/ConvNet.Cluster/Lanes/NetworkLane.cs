using ConvNet.Core.Networks;
using ConvNet.Core.Training;
using ConvNet.Data;
using ConvNet.Data.Augmentation;
using ConvNet.Data.Batches;
using ConvNet.Data.Sampling;

namespace ConvNet.Cluster.Lanes;

/// <summary>A lane that trains a network on a data set, on the thread that calls it.</summary>
/// <param name="execution">The network's plan, shared by all lanes.</param>
/// <param name="steps">Which samples each micro-batch has.</param>
/// <param name="data">The samples.</param>
/// <param name="order">The order of the samples in each epoch, shared by all lanes.</param>
/// <param name="seed">The job's seed.</param>
/// <param name="augmentation">How training images are changed by chance.</param>
/// <param name="labelSmoothing">The share of a label's weight that is spread over all classes.</param>
internal sealed class NetworkLane(
    ExecutionPlan execution, StepPlan steps, DataSplits data, EpochOrder order, ulong seed, ImageAugmentation augmentation, float labelSmoothing) : IMicroBatchLane
{
    private readonly Workspace _workspace = new(execution);
    private readonly AugmentedSamples? _augmented = augmentation.IsNone ? null : new(augmentation, data.Training, steps.MicroBatch);
    private readonly int[] _samples = new int[steps.MicroBatch];

    /// <inheritdoc/>
    public void Train(long step, int microBatch, ReadOnlySpan<float> weights, Span<float> contribution, IContributionProgress progress)
    {
        var pass = new TrainingPass(seed, step, microBatch * steps.MicroBatch, labelSmoothing);
        int count = Fill(step, microBatch);
        try
        {
            _workspace.Train(count, weights, contribution, pass, progress);
        }
        catch (LossNotFiniteException e)
        {
            Fill(step, microBatch);
            throw new LossNotFiniteException(e.Loss, _workspace.NotFinite(count, weights, pass));
        }
    }

    /// <inheritdoc/>
    public void Evaluate(int microBatch, ReadOnlySpan<float> weights, Span<float> metrics)
    {
        (int start, int count) = steps.EvaluationSamples(microBatch);
        Span<int> samples = _samples.AsSpan(0, count);
        for (int i = 0; i < count; i++)
            samples[i] = start + i;
        SampleLanes.Fill(data.Test, samples, data.Normalisation, _workspace.Input, _workspace.Labels);
        _workspace.Evaluate(count, weights, metrics);
    }

    private int Fill(long step, int microBatch)
    {
        (int epoch, int start, int count) = steps.Positions(step, microBatch);
        ReadOnlySpan<int> samples = order.Slice(epoch, start, count);
        if (_augmented is null)
            SampleLanes.Fill(data.Training, samples, data.Normalisation, _workspace.Input, _workspace.Labels);
        else
            _augmented.Fill(samples, seed, epoch, data.Normalisation, _workspace.Input, _workspace.Labels);
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _workspace.Dispose();
}
