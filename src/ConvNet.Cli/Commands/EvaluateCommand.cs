using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Jobs;
using ConvNet.Core.Networks;
using ConvNet.Core.Training;
using ConvNet.Data;
using ConvNet.Data.Batches;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet evaluate MODEL --data …</c>: how good a saved model is on a test set.</summary>
internal static class EvaluateCommand
{
    private const int MicroBatch = 32;

    public static Command Create(TextWriter output, TextWriter error)
    {
        var model = new Argument<string>("MODEL") { Description = "Folder of a trained model, or a file in it" };
        var data = new Option<string>("--data") { Description = "The data whose test set is used: digits, mnist:DIR, fashion-mnist:DIR, cifar10:DIR, cifar100:DIR, images:SIZE:DIR, or a folder of IDX files", HelpName = "DATA", DefaultValueFactory = _ => "digits" };
        var skip = new Option<bool>("--skip-corrupt") { Description = "Leave damaged pictures out" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("evaluate", "Measure a trained model on a test set") { model, data, skip, json };
        command.SetAction(parsed => Run(parsed.GetValue(model)!, parsed.GetValue(data)!, parsed.GetValue(skip), parsed.GetValue(json), output));
        return command;
    }

    private static int Run(string path, string dataName, bool skip, bool json, TextWriter output)
    {
        TrainedModel model = ModelFile.Load(path);
        DataSet test = DataSource.Load(dataName, skip, model.Normalisation).Test;
        if (test.Shape != model.Network.Input || test.ClassNames.Count != model.Network.Classes)
            throw new UsageException($"{path} takes images of {model.Network.Input} in {model.Network.Classes} classes; {dataName} has {test.Shape} in {test.ClassNames.Count}. Choose the data that it was trained for.");
        long start = Stopwatch.GetTimestamp();
        Evaluation result = Measure(model, test);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double? top5 = EpochResult.TellsTop5(model.Network.Classes) ? result.Top5 : null;
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    command = "evaluate",
                    model = model.Network.Name,
                    data = dataName,
                    samples = test.Count,
                    testLoss = result.Loss,
                    testAccuracy = result.Accuracy,
                    testTop5 = top5,
                    classes = ConfusionText.Classes(result.Confusion, test.ClassNames),
                    confusion = ConfusionText.Rows(result.Confusion),
                    imagesPerSecond = test.Count / seconds,
                    seconds,
                    weightsSha256 = model.WeightsSha256,
                    modelPath = path,
                },
                JsonText.Options));
        }
        else
        {
            string more = top5 is { } share ? string.Create(CultureInfo.InvariantCulture, $", top-5 {100 * share:F2} %") : "";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.Network.Name} on {test.Count} test images of {dataName}: accuracy {100 * result.Accuracy:F2} %{more}, loss {result.Loss:F4}"));
            ConfusionText.Write(output, result.Confusion, test.ClassNames);
            output.WriteLine($"weights  sha256 {model.WeightsSha256}");
        }

        return ExitCode.Done;
    }

    /// <summary>What is counted over a test set: mean loss, shares of right answers from 0 to 1, and who was taken for whom.</summary>
    private sealed record Evaluation(double Loss, double Accuracy, double Top5, ConfusionMatrix Confusion);

    /// <summary>Micro-batches side by side, their sums added in order.</summary>
    private static Evaluation Measure(TrainedModel model, DataSet test)
    {
        var steps = new StepPlan(1, test.Count, MicroBatch, MicroBatch, 1);
        var plan = new ExecutionPlan(model.Network, MicroBatch);
        var metrics = new float[steps.EvaluationMicroBatches][];
        int length = test.Shape.Elements;
        var labels = new int[test.Count];
        var predicted = new int[test.Count];
        OnAllCores.Run(metrics.Length, () => (Workspace: new Workspace(plan), Images: new byte[MicroBatch * length]), (i, own) =>
        {
            (Workspace workspace, byte[] images) = own;
            (int first, int count) = steps.EvaluationSamples(i);
            for (int s = 0; s < count; s++)
            {
                test.Read(first + s, images.AsSpan(s * length, length));
                labels[first + s] = test.Label(first + s);
            }

            SampleLanes.Fill(images, labels.AsSpan(first, count), test.Shape, model.Normalisation, workspace.Input, workspace.Labels);
            metrics[i] = new float[ContributionLayout.MetricsLength];
            workspace.Evaluate(count, model.Weights, metrics[i], predicted.AsSpan(first, count));
        }, own => own.Workspace.Dispose());
        var confusion = new ConfusionMatrix(model.Network.Classes);
        for (int sample = 0; sample < test.Count; sample++)
            confusion.Add(labels[sample], predicted[sample]);
        double Mean(int metric) => metrics.Sum(m => (double)m[metric]) / test.Count;
        return new(Mean(ContributionLayout.LossSum), Mean(ContributionLayout.Top1Correct), Mean(ContributionLayout.Top5Correct), confusion);
    }
}
