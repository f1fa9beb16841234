using System.Globalization;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;

namespace ConvNet.Cli.Rendering;

/// <summary>A job for people.</summary>
internal static class JobText
{
    /// <summary>Where it stands, in a word or two.</summary>
    public static string State(JobRecord job) => job.State switch
    {
        JobState.WaitingForWorkers => "waiting",
        JobState state => state.ToString().ToLowerInvariant(),
    };

    /// <summary>A time of day here: <c>2026-03-01 14:02:11</c>.</summary>
    public static string Time(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>How far it is: <c>step 812 of 4690 (17.3 %)</c>.</summary>
    public static string Progress(JobRecord job) => job.TotalSteps > 0
        ? string.Create(CultureInfo.InvariantCulture, $"step {job.Step} of {job.TotalSteps} ({100.0 * job.Step / job.TotalSteps:F1} %)")
        : "not begun";

    /// <summary>All that is known of it, a line for each thing.</summary>
    public static void WriteStatus(TextWriter output, JobRecord job)
    {
        void Line(string what, string? value)
        {
            if (value != null)
                output.WriteLine($"{what,-11}{value}");
        }

        JobSpec spec = job.Spec;
        Line("job", $"{job.Id}  {job.Name}");
        Line("state", State(job) + (job.Attempt > 1 ? $", attempt {job.Attempt}" : ""));
        Line("failure", job.Failure);
        Line("progress", Progress(job));
        Line("loss", job.Loss is { } loss ? FormattableString.Invariant($"{loss:F4}") : null);
        Line("test", job.TestAccuracy is { } accuracy ? FormattableString.Invariant($"accuracy {100 * accuracy:F2} %{(job.TestTop5 is { } top5 ? FormattableString.Invariant($", top-5 {100 * top5:F2} %") : "")}, loss {job.TestLoss:F4}") : null);
        Line("speed", job.SamplesPerSecond is { } speed ? FormattableString.Invariant($"{speed:N0} images/s") : null);
        Line("checkpoint", job.CheckpointStep is { } step ? $"step {step}" : null);
        Line("weights", job.WeightsSha256 is { } hash ? $"sha256 {hash}" : null);
        Line("trains", $"{spec.Model} on {spec.Data}, {spec.Epochs} epochs, batch {spec.Batch} in micro-batches of {spec.MicroBatch}, seed {spec.Seed}");
        if (spec.Augment.Length > 0)
            Line("augment", spec.Augment);
        Line("init", spec.Init is { } init ? $"{init}, sha256 {spec.InitSha256}" : null);
        Line("freeze", spec.Freeze);
        Line("optimizer", RecipeText.Optimizer(spec));
        Line("schedule", RecipeText.Schedule(spec));
        Line("besides", RecipeText.Besides(spec));
        Line("priority", job.Priority != 0 ? $"{job.Priority}" : null);
        Line("submitted", Time(job.Submitted));
        Line("started", job.Started is { } started ? Time(started) : null);
        Line("ended", job.Ended is { } ended ? Time(ended) : null);
    }

    /// <summary>What came of a job that is done.</summary>
    public static void WriteResult(TextWriter output, JobRecord job)
    {
        if (job.TestAccuracy is { } accuracy)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"accuracy {100 * accuracy:F2} %"));
        string time = job is { Started: { } started, Ended: { } ended } ? string.Create(CultureInfo.InvariantCulture, $" in {(ended - started).TotalSeconds:F1} s") : "";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"trained  {job.Step:N0} steps{time}"));
        output.WriteLine($"model    'convnet fetch {job.Id} --out DIR' brings it here");
        output.WriteLine($"weights  sha256 {job.WeightsSha256}");
    }
}
