using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Cli.Reports;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Data;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.TensorBoard;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet train</c>: trains a network with all actors in this process, and saves it.</summary>
internal static class TrainCommand
{
    private const int MostSkippedNamed = 5;

    public static Command Create(TextWriter output, TextWriter error)
    {
        var options = new TrainOptions();
        var command = new Command("train", "Train a network on this machine, on all cores, and save it");
        command.Arguments.Add(options.Job.JobFile);
        foreach (Option option in options.All)
            command.Options.Add(option);
        command.SetAction((parsed, stop) => RunAsync(parsed, options, output, error, stop));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, TrainOptions options, TextWriter output, TextWriter error, CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        JobSpec spec = options.Job.Spec(parsed);
        LocalClusterOptions cluster = options.Launch(parsed);
        bool json = parsed.GetValue(options.Json), quiet = parsed.GetValue(options.Quiet);
        TextWriter people = quiet ? TextWriter.Null : json ? error : output;

        SavedTensors? saved = spec.Init is { } init ? SavedTensors.Read(init) : null;
        var job = new NetworkJob(spec, DataSource.Load(spec.Data, spec.SkipCorrupt), saved);
        DataSplits data = job.Data;
        EventFile? events = options.BeginEvents(parsed);
        string folder = OutputFolder.Make(parsed.GetValue(options.Out), spec);
        await people.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{job.Network.Name} on {spec.Data}: {job.Network.ParameterCount:N0} parameters, {data.Training.Count:N0} training and {data.Test.Count:N0} {Measured(spec)} images, {Count(cluster.Workers, "worker")} × {Count(cluster.LanesOrDefault, "lane")}, {Count(cluster.Servers, "server")}"));

        foreach (string line in job.Beginning)
            await people.WriteLineAsync(line);
        if (data.Skipped.Count > 0)
            await people.WriteLineAsync($"skipped  {Count(data.Skipped.Count, "damaged picture")}: {string.Join(", ", data.Skipped.Take(MostSkippedNamed))}{(data.Skipped.Count > MostSkippedNamed ? ", …" : "")}");

        var progress = new TrainingProgress(error, spec.Epochs, data.Training.Count, quiet);
        var steps = new StepLosses();
        using JobResult result = await TrainAsync(spec, job, cluster, progress, steps, events, error, stop);
        EpochResult? last = result.Kept;
        var trained = new TrainedModel(job.Network, result.State.ToArray(), data.Training.ClassNames, data.Normalisation);
        string path = ModelFile.Save(folder, trained, Origin(job.Spec, result));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        string? WriteReport() => parsed.GetValue(options.NoReport)
            ? null
            : ReportWriter.TryWrite(folder, () => new TrainingReport(spec, job, trained, result, steps.Means), error);

        if (json)
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(
                new
                {
                    command = "train",
                    model = job.Network.Name,
                    data = spec.Data,
                    epochs = spec.Epochs,
                    steps = result.Version,
                    stopped = result.Stopped,
                    workers = cluster.Workers,
                    lanes = cluster.LanesOrDefault,
                    servers = cluster.Servers,
                    skipped = data.Skipped,
                    initSha256 = job.Spec.InitSha256,
                    trainLoss = last?.TrainLoss,
                    testLoss = last?.TestLoss,
                    testAccuracy = last?.TestAccuracy,
                    testTop5 = last?.TestTop5,
                    bestEpoch = result.BestEpoch + 1,
                    imagesPerSecond = result.Throughput.SamplesPerSecond,
                    seconds,
                    weightsSha256 = result.WeightsSha256,
                    modelPath = path,
                    reportPath = WriteReport(),
                    eventsPath = events?.Path,
                },
                JsonText.Options));
        }
        else if (quiet)
        {
            WriteReport();
        }
        else
        {
            if (result.Stopped)
                await output.WriteLineAsync($"stopped after step {result.Version} of {job.Plan.TotalSteps}; what was learned so far is kept");
            if (last?.TestAccuracy is { } accuracy)
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"accuracy {100 * accuracy:F2} %{(last.TestTop5 is { } top5 ? string.Create(CultureInfo.InvariantCulture, $", top-5 {100 * top5:F2} %") : "")} on {data.Test.Count:N0} {Measured(spec)} images{(result.BestEpoch is { } best ? $", after epoch {best + 1}, the best" : "")}"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"trained  {Count(result.Version, "step")} in {seconds:F1} s, {result.Throughput.SamplesPerSecond:N0} images/s"));
            await output.WriteLineAsync($"model    {path}");
            if (events != null)
                await output.WriteLineAsync($"events   {events.Path}");
            // The report takes another pass over the test images: what is known is said before.
            if (WriteReport() is { } report)
                await output.WriteLineAsync($"report   {report}");
            await output.WriteLineAsync($"weights  sha256 {result.WeightsSha256}");
        }

        return result.Stopped ? ExitCode.Interrupted : ExitCode.Done;
    }

    private static async Task<JobResult> TrainAsync(
        JobSpec spec, NetworkJob job, LocalClusterOptions cluster, TrainingProgress progress, StepLosses steps, EventFile? events, TextWriter error, CancellationToken stop)
    {
        await using TensorBoardLog? log = events == null ? null : new(events, job, Measured(spec), error, TimeProvider.System);
        JobObservers observers = log == null ? new(progress, steps) : new(progress, steps, log);
        return await progress.ShowAsync(() => LocalCluster.RunAsync(spec, job, cluster, observers, stop));
    }

    private static string Measured(JobSpec spec) => spec.Validation > 0 ? "validation" : "test";

    private static Dictionary<string, string> Origin(JobSpec spec, JobResult result)
    {
        var origin = new Dictionary<string, string>
        {
            ["data"] = spec.Data,
            ["epochs"] = spec.Epochs.ToString(CultureInfo.InvariantCulture),
            ["steps"] = result.Version.ToString(CultureInfo.InvariantCulture),
            ["batch"] = spec.Batch.ToString(CultureInfo.InvariantCulture),
            ["microBatch"] = spec.MicroBatch.ToString(CultureInfo.InvariantCulture),
            ["seed"] = spec.Seed.ToString(CultureInfo.InvariantCulture),
        };
        BeginningFields.Tell(spec, origin);
        return origin;
    }

    private static string Count(long n, string what) => string.Create(CultureInfo.InvariantCulture, $"{n:N0} {what}{(n == 1 ? "" : "s")}");
}
