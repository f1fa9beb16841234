using ConvNet.Core.Networks;
using ConvNet.Core.Training;
using ConvNet.Data.Batches;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Data.Evaluations;

/// <summary>A sample that was taken for another class than its own.</summary>
/// <param name="Sample">Its number in the data set.</param>
/// <param name="Label">Its class.</param>
/// <param name="Predicted">The class that it was taken for.</param>
/// <param name="Probability">The probability that the network gave to that class, from 0 to 1.</param>
public readonly record struct Mistake(int Sample, int Label, int Predicted, float Probability);

/// <summary>How good a model is on a data set: what is counted when all samples have gone through it.</summary>
public sealed class ModelEvaluation
{
    private readonly int[] _predicted;
    private readonly float[] _probabilities;
    private readonly DataSet _data;

    private ModelEvaluation(DataSet data, int classes, IReadOnlyList<float[]> metrics, int[] predicted, float[] probabilities)
    {
        (_data, _predicted, _probabilities) = (data, predicted, probabilities);
        Confusion = new ConfusionMatrix(classes);
        for (int sample = 0; sample < predicted.Length; sample++)
            Confusion.Add(data.Label(sample), predicted[sample]);
        double Mean(int metric) => metrics.Sum(m => (double)m[metric]) / predicted.Length;
        (Loss, Accuracy, Top5) = (Mean(ContributionLayout.LossSum), Mean(ContributionLayout.Top1Correct), Mean(ContributionLayout.Top5Correct));
    }

    /// <summary>Samples.</summary>
    public int Samples => _predicted.Length;

    /// <summary>Mean loss.</summary>
    public double Loss { get; }

    /// <summary>Share of right answers, from 0 to 1.</summary>
    public double Accuracy { get; }

    /// <summary>Share of samples whose class was among the five most probable, from 0 to 1.</summary>
    public double Top5 { get; }

    /// <summary>Who was taken for whom.</summary>
    public ConfusionMatrix Confusion { get; }

    /// <summary>The samples that were taken for another class, those that the network was surest about first; of equally sure ones in the order of the data.</summary>
    public IEnumerable<Mistake> Mistakes =>
        from sample in Enumerable.Range(0, Samples)
        where _predicted[sample] >= 0 && _predicted[sample] != _data.Label(sample)
        orderby _probabilities[sample] descending, sample
        select new Mistake(sample, _data.Label(sample), _predicted[sample], _probabilities[sample]);

    /// <summary>Evaluates a model, on all cores. The sums are added up in the order of the data: the same every time.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">Images and classes as the model takes them; at least one.</param>
    /// <param name="microBatch">Samples that a core computes at a time: it decides the order of the sums, and the memory.</param>
    /// <exception cref="DataException">An image cannot be read.</exception>
    public static ModelEvaluation Of(TrainedModel model, DataSet data, int microBatch = 32)
    {
        var steps = new StepPlan(1, data.Count, microBatch, microBatch, 1);
        var plan = new ExecutionPlan(model.Network, microBatch);
        int length = data.Shape.Elements, classes = model.Network.Classes;
        var metrics = new float[steps.EvaluationMicroBatches][];
        var labels = new int[data.Count];
        var predicted = new int[data.Count];
        var probabilities = new float[data.Count];
        OnAllCores.Run(metrics.Length, () => (Workspace: new Workspace(plan), Images: new byte[microBatch * length], Probabilities: new float[microBatch * classes]), (i, own) =>
        {
            (Workspace workspace, byte[] images, float[] all) = own;
            (int first, int count) = steps.EvaluationSamples(i);
            for (int s = 0; s < count; s++)
            {
                data.Read(first + s, images.AsSpan(s * length, length));
                labels[first + s] = data.Label(first + s);
            }

            SampleLanes.Fill(images, labels.AsSpan(first, count), data.Shape, model.Normalisation, workspace.Input, workspace.Labels);
            metrics[i] = new float[ContributionLayout.MetricsLength];
            workspace.Evaluate(count, model.Weights, metrics[i], predicted.AsSpan(first, count), all);
            for (int s = 0; s < count; s++)
                probabilities[first + s] = predicted[first + s] < 0 ? 0 : all[(s * classes) + predicted[first + s]];
        }, own => own.Workspace.Dispose());
        return new ModelEvaluation(data, classes, metrics, predicted, probabilities);
    }
}
