using ConvNet.Core.Networks;
using ConvNet.Core.Training;
using ConvNet.Data;
using ConvNet.Data.Batches;
using ConvNet.Data.Sampling;

namespace ConvNet.Cluster.Lanes;

/// <summary>A lane that trains a network on a data set, on the thread that calls it.</summary>
internal sealed class NetworkLane : IMicroBatchLane
{
    private readonly Workspace _workspace;
    private readonly StepPlan _steps;
    private readonly DataSplits _data;
    private readonly EpochOrder _order;
    private readonly ulong _seed;
    private readonly float _labelSmoothing;
    private readonly ReadAhead? _ahead;
    private readonly int[] _samples;

    /// <summary>Plans a lane.</summary>
    /// <param name="execution">The network's plan, shared by all lanes.</param>
    /// <param name="steps">Which samples each micro-batch has.</param>
    /// <param name="data">The samples.</param>
    /// <param name="order">The order of the samples in each epoch, shared by all lanes.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="labelSmoothing">The share of a label's weight that is spread over all classes.</param>
    /// <param name="ahead">Where images are made ready, shared by all lanes; null where training images are taken from memory as they are.</param>
    public NetworkLane(ExecutionPlan execution, StepPlan steps, DataSplits data, EpochOrder order, ulong seed, float labelSmoothing, ReadAhead? ahead)
    {
        (_steps, _data, _order, _seed, _labelSmoothing, _ahead) = (steps, data, order, seed, labelSmoothing, ahead);
        _workspace = new(execution);
        _samples = new int[steps.MicroBatch];
        ahead?.Join();
    }

    /// <inheritdoc/>
    public void Train(long step, int microBatch, ReadOnlySpan<float> weights, Span<float> contribution, IContributionProgress progress)
    {
        var pass = new TrainingPass(_seed, step, microBatch * _steps.MicroBatch, _labelSmoothing);
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
        (int start, int count) = _steps.EvaluationSamples(microBatch);
        if (_ahead is not null && !_data.Test.InMemory)
        {
            Fill(_ahead, _ahead.Test(microBatch));
        }
        else
        {
            Span<int> samples = _samples.AsSpan(0, count);
            for (int i = 0; i < count; i++)
                samples[i] = start + i;
            SampleLanes.Fill(_data.Test, samples, _data.Normalisation, _workspace.Input, _workspace.Labels);
        }

        _workspace.Evaluate(count, weights, metrics);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ahead?.Leave();
        _workspace.Dispose();
    }

    /// <summary>Brings a micro-batch's images in, and says how many.</summary>
    private int Fill(long step, int microBatch)
    {
        (int epoch, int start, int count) = _steps.Positions(step, microBatch);
        if (_ahead is null)
            SampleLanes.Fill(_data.Training, _order.Slice(epoch, start, count), _data.Normalisation, _workspace.Input, _workspace.Labels);
        else
            Fill(_ahead, _ahead.Training(step, microBatch));
        return count;
    }

    private void Fill(ReadAhead ahead, PreparedImages images)
    {
        SampleLanes.Fill(images.Pixels, images.Labels, _data.Training.Shape, _data.Normalisation, _workspace.Input, _workspace.Labels);
        ahead.Return(images);
    }
}
