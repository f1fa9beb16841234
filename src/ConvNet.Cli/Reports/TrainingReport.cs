using ConvNet.Cluster.Jobs;
using ConvNet.Core.Networks;
using ConvNet.Data;
using ConvNet.Data.Evaluations;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cli.Reports;

/// <summary>All that a report on a training shows. Numbers only: <see cref="ReportPlots"/> draws them, <see cref="ReportPage"/> lays them out.</summary>
internal sealed class TrainingReport
{
    /// <summary>Test images that are looked at when the user has stopped the job, and waits.</summary>
    internal const int MostWhenStopped = 1024;

    /// <summary>Mistakes that are shown.</summary>
    private const int MostMistakes = 24;

    /// <summary>Points of the learning rate's curve.</summary>
    private const int MostRates = 512;

    /// <summary>Collects it: evaluates the model on what it is measured on.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="job">The job with its data.</param>
    /// <param name="model">What came of it.</param>
    /// <param name="result">How it went.</param>
    /// <param name="steps">Its loss step by step.</param>
    /// <exception cref="DataException">An image cannot be read.</exception>
    public TrainingReport(JobSpec spec, NetworkJob job, TrainedModel model, JobResult result, IReadOnlyList<StepLoss> steps)
    {
        (Spec, Model, Training, StepsPerEpoch, TotalSteps) = (spec, model, job.Data.Training, job.Plan.StepsPerEpoch, job.Plan.TotalSteps);
        (Epochs, Kept, Version, Stopped, BestEpoch, Throughput, WeightsSha256) =
            (result.Epochs, result.Kept, result.Version, result.Stopped, result.BestEpoch, result.Throughput, result.WeightsSha256);
        Steps = steps;
        long stride = Math.Max(1, Version / MostRates);
        Rates = [.. Enumerable.Range(0, (int)((Version + stride - 1) / stride)).Select(i => (i * stride, job.LearningRateOf(i * stride)))];
        TestImages = job.Data.Test.Count;
        Measured = Stopped && TestImages > MostWhenStopped
            ? job.Data.Test.Part([.. Enumerable.Range(0, MostWhenStopped).Select(i => (int)((long)i * TestImages / MostWhenStopped))])
            : job.Data.Test;
        Evaluation = ModelEvaluation.Of(model, Measured, spec.MicroBatch);
        Mistakes = [.. Evaluation.Mistakes.Take(MostMistakes)];
    }

    /// <summary>The job.</summary>
    public JobSpec Spec { get; }

    /// <summary>What came of it.</summary>
    public TrainedModel Model { get; }

    /// <summary>Its layers.</summary>
    public Network Network => Model.Network;

    /// <summary>The classes' names, by number.</summary>
    public IReadOnlyList<string> ClassNames => Model.ClassNames;

    /// <summary>What it learned from.</summary>
    public DataSet Training { get; }

    /// <summary>Images that each epoch was measured on.</summary>
    public int TestImages { get; }

    /// <summary>The images that <see cref="Evaluation"/> is of: all of them, or evenly spread ones of a job that was stopped.</summary>
    public DataSet Measured { get; }

    /// <summary>What they are: <c>test</c> or <c>validation</c>.</summary>
    public string MeasuredName => Spec.Validation > 0 ? "validation" : "test";

    /// <summary>Steps of an epoch.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Steps of the job.</summary>
    public long TotalSteps { get; }

    /// <summary>The epochs that were begun.</summary>
    public IReadOnlyList<EpochResult> Epochs { get; }

    /// <summary>The metrics of the weights; null where no epoch was begun.</summary>
    public EpochResult? Kept { get; }

    /// <summary>Steps taken.</summary>
    public long Version { get; }

    /// <summary>Whether the user stopped it.</summary>
    public bool Stopped { get; }

    /// <summary>The epoch, from 0, whose weights were kept as the best; null where they are those of the last step.</summary>
    public int? BestEpoch { get; }

    /// <summary>How fast it went.</summary>
    public Throughput Throughput { get; }

    /// <summary>SHA-256 of the state.</summary>
    public string WeightsSha256 { get; }

    /// <summary>The loss step by step, or means over a few.</summary>
    public IReadOnlyList<StepLoss> Steps { get; }

    /// <summary>The learning rate of some of the steps taken, evenly spread.</summary>
    public IReadOnlyList<(long Step, float Rate)> Rates { get; }

    /// <summary>The model on <see cref="Measured"/>.</summary>
    public ModelEvaluation Evaluation { get; }

    /// <summary>The mistakes that it was surest about, in <see cref="Measured"/>.</summary>
    public IReadOnlyList<Mistake> Mistakes { get; }

    /// <summary>Where a version lies on an axis of epochs: 2.5 is halfway through the third.</summary>
    public double EpochsAt(long version) => (double)version / StepsPerEpoch;

    /// <summary>Where the end of an epoch lies there; earlier for one that was broken off.</summary>
    public double EndOf(EpochResult epoch) => Math.Min(epoch.Epoch + 1, EpochsAt(Version));
}
