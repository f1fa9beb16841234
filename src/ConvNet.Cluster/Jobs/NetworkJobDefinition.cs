using ConvNet.Cluster.Shards;
using ConvNet.Core.Networks;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using ConvNet.Data.Manifests;
using ConvNet.Data.Sampling;
using Rates = ConvNet.Core.Schedules.LearningRateSchedule;

namespace ConvNet.Cluster.Jobs;

/// <summary>What a job is that trains a network.</summary>
public class NetworkJobDefinition : IJobDefinition
{
    private readonly JobSpec _spec;

    /// <summary>Plans a job.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="data">What the data it names is like.</param>
    /// <exception cref="ShapeException">The network cannot be built for such images.</exception>
    /// <exception cref="ConvNet.Data.DataException">So few images are there that none would be left for one part of the validation split.</exception>
    public NetworkJobDefinition(JobSpec spec, DataDescription data)
    {
        _spec = spec;
        Network = JobNetwork.Build(spec, data.Shape, data.ClassNames.Count);
        (int training, int test) = ValidationSplit.Counts(data.TrainingCount, data.TestCount, spec.Validation);
        Plan = new StepPlan(training, test, spec.Batch, spec.MicroBatch, spec.Epochs);
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <inheritdoc/>
    public StepPlan Plan { get; }

    /// <inheritdoc/>
    public ContributionLayout Layout => Network.Layout;

    /// <inheritdoc/>
    public void WriteInitialState(int start, Span<float> range) => Network.Initialize(start, range, _spec.Seed);

    /// <inheritdoc/>
    public ISliceUpdate CreateUpdate() => new SgdUpdate(
        Network,
        new Sgd(_spec.Momentum, _spec.WeightDecay, _spec.Nesterov),
        _spec.LearningRate,
        _spec.Schedule == LearningRateSchedule.Cosine ? Rates.Cosine : Rates.Constant,
        Plan.TotalSteps);

    private sealed class SgdUpdate(Network network, Sgd sgd, float rate, Rates schedule, long totalSteps) : ISliceUpdate
    {
        public int StatePlanes => 1;

        public void Apply(Span<float> weights, ReadOnlySpan<float> gradientSum, Span<float> state, float gradientScale, long step, int sliceOffset) =>
            sgd.Apply(weights, gradientSum, state, gradientScale, rate * schedule.Share(step, totalSteps));

        public void ApplyStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches, long step) =>
            network.UpdateStatistics(running, sums, microBatches);
    }
}
