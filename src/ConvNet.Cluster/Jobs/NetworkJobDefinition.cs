using ConvNet.Cluster.Shards;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using ConvNet.Data.Augmentation;
using ConvNet.Data.Manifests;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Sampling;
using Rates = ConvNet.Core.Schedules.LearningRateSchedule;

namespace ConvNet.Cluster.Jobs;

/// <summary>What a job is that trains a network.</summary>
public class NetworkJobDefinition : IJobDefinition
{
    private readonly JobSpec _spec;
    private readonly Rates _schedule;
    private readonly InitialWeights? _initial;

    /// <summary>Plans a job.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="data">What the data it names is like.</param>
    /// <param name="saved">The file that its weights begin with; null where it begins with none, or somebody else hands them to the shards.</param>
    /// <exception cref="ShapeException">The network cannot be built for such images.</exception>
    /// <exception cref="JobFileException">The recipe does not fit the network or the data.</exception>
    /// <exception cref="ConvNet.Data.DataException">So few images are there that none would be left for one part of the validation split; or the file does not fit the network.</exception>
    public NetworkJobDefinition(JobSpec spec, DataDescription data, SavedTensors? saved = null)
    {
        _spec = BeginningFields.With(spec, saved);
        Network = JobNetwork.Build(spec, data.Shape, data.ClassNames.Count);
        (int training, int test) = ValidationSplit.Counts(data.TrainingCount, data.TestCount, spec.Validation);
        Plan = new StepPlan(training, test, spec.Batch, spec.MicroBatch, spec.Epochs);
        _schedule = Recipe.ScheduleOf(spec, Plan);
        if (test == 0 && (spec.EarlyStop > 0 || spec.Keep == KeptWeights.Best))
            throw new JobFileException([$"{(spec.EarlyStop > 0 ? "early-stop" : "keep")}: goes by the accuracy on the test set, and {spec.Data} has none."]);
        if (ImageAugmentation.Parse(spec.Augment)?.Misfit(data.Shape) is { } misfit)
            throw new JobFileException([$"augment: {misfit}"]);
        CreateUpdate();   // says what is wrong with the recipe before anything begins
        _initial = saved is null ? null : InitialWeights.Of(saved, Network, spec.Seed);
        string? frozen = FrozenTensors.Parse(spec.Freeze)!.Describe(Network);
        Beginning = [.. (_initial?.Report ?? []).Select(line => $"init     {line}"), .. frozen is null ? (string[])[] : [$"frozen   {frozen}"]];
    }

    /// <summary>The job, with the hash of the weights that it begins with.</summary>
    public JobSpec Spec => _spec;

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>What it begins with besides what the seed gives, and what of it stays: a line for people on each. Empty for most jobs.</summary>
    public IReadOnlyList<string> Beginning { get; }

    /// <summary>Whether it has the weights that it begins with, from a file.</summary>
    internal bool HasInitialWeights => _initial is not null;

    /// <inheritdoc/>
    public StepPlan Plan { get; }

    /// <inheritdoc/>
    public int Classes => Network.Classes;

    /// <inheritdoc/>
    public ContributionLayout Layout => Network.Layout;

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">From 0, below <see cref="StepPlan.TotalSteps"/>.</param>
    public float LearningRateOf(long step) => _spec.LearningRate * _schedule.Share(step, Plan.TotalSteps);

    /// <inheritdoc/>
    public void WriteInitialState(int start, Span<float> range)
    {
        if (_initial is { } initial)
            initial.State.Slice(start, range.Length).CopyTo(range);
        else if (_spec.Init is { } init)
            throw new InvalidOperationException($"the weights of {init} were not handed over.");
        else
            Network.Initialize(start, range, _spec.Seed);
    }

    /// <inheritdoc/>
    public ISliceUpdate CreateUpdate() => new NetworkUpdate(Network, _spec, _schedule, Plan.TotalSteps);
}
