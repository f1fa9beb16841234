using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
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
        (double loss, double accuracy) = Measure(model, test);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    command = "evaluate",
                    model = model.Network.Name,
                    data = dataName,
                    samples = test.Count,
                    testLoss = loss,
                    testAccuracy = accuracy,
                    imagesPerSecond = test.Count / seconds,
                    seconds,
                    weightsSha256 = model.WeightsSha256,
                    modelPath = path,
                },
                JsonText.Options));
        }
        else
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.Network.Name} on {test.Count} test images of {dataName}: accuracy {100 * accuracy:F2} %, loss {loss:F4}"));
            output.WriteLine($"weights  sha256 {model.WeightsSha256}");
        }

        return ExitCode.Done;
    }

    /// <summary>Mean loss and accuracy; micro-batches side by side, their sums added in order.</summary>
    private static (double Loss, double Accuracy) Measure(TrainedModel model, DataSet test)
    {
        var steps = new StepPlan(1, test.Count, MicroBatch, MicroBatch, 1);
        var plan = new ExecutionPlan(model.Network, MicroBatch);
        var metrics = new float[steps.EvaluationMicroBatches][];
        int length = test.Shape.Elements;
        OnAllCores.Run(metrics.Length, () => (Workspace: new Workspace(plan), Images: new byte[MicroBatch * length]), (i, own) =>
        {
            (Workspace workspace, byte[] images) = own;
            (int first, int count) = steps.EvaluationSamples(i);
            for (int s = 0; s < count; s++)
                test.Read(first + s, images.AsSpan(s * length, length));
            int[] labels = [.. Enumerable.Range(first, count).Select(test.Label)];
            SampleLanes.Fill(images, labels, test.Shape, model.Normalisation, workspace.Input, workspace.Labels);
            metrics[i] = new float[ContributionLayout.MetricsLength];
            workspace.Evaluate(count, model.Weights, metrics[i]);
        }, own => own.Workspace.Dispose());
        return (metrics.Sum(m => (double)m[ContributionLayout.LossSum]) / test.Count, metrics.Sum(m => (double)m[ContributionLayout.Top1Correct]) / test.Count);
    }
}
