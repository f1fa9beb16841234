using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Data.Batches;
using ConvNet.Data.Digits;
using ConvNet.Data.Evaluations;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Data.Tests.Evaluations;

public sealed class ModelEvaluationTests
{
    [Fact]
    public void Counts_losses_and_mistakes_agree_with_each_sample_alone()
    {
        const int Count = 75;
        Network network = ModelZoo.Find("lenet5")!.Build(new(1, 28, 28), 10);
        var weights = new float[network.StateLength];
        network.Initialize(weights, seed: 3);
        string[] names = [.. Enumerable.Range(0, 10).Select(c => $"{c}")];
        var model = new TrainedModel(network, weights, names, new Normalisation([0.2f], [0.4f]));
        (byte[] pixels, byte[] labels) = DigitSet.Draw(DigitSplit.Test, Count, 1);
        var data = new DataSet("digits", network.Input, pixels, labels, names);

        var evaluation = ModelEvaluation.Of(model, data, microBatch: 16);

        using var workspace = new Workspace(new ExecutionPlan(network, 1));
        var expected = new List<Mistake>();
        double loss = 0;
        for (int i = 0; i < Count; i++)
        {
            var p = new float[10];
            SampleLanes.Fill(data, [i], model.Normalisation, workspace.Input, workspace.Labels);
            workspace.Predict(1, weights, p);
            loss -= Math.Log(p[labels[i]]) / Count;
            int best = Array.IndexOf(p, p.Max());
            if (best != labels[i])
                expected.Add(new(i, labels[i], best, p[best]));
        }

        Assert.NotEmpty(expected);
        Assert.Equal(expected.OrderByDescending(m => m.Probability).ThenBy(m => m.Sample), evaluation.Mistakes);
        Assert.Equal(1 - ((double)expected.Count / Count), evaluation.Accuracy, 1e-12);
        Assert.Equal(loss, evaluation.Loss, 1e-5);
        Assert.Equal(Count, evaluation.Samples);
        Assert.All(evaluation.Confusion.Confusions, c => Assert.Equal(expected.Count(m => m.Label == c.Label && m.Predicted == c.Predicted), c.Count));
    }
}
