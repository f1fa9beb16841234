using System.Globalization;
using ConvNet.Cluster.Management;
using Spectre.Console;

namespace ConvNet.Cli.Rendering;

/// <summary>Shows how a submitted job goes: a live bar on a terminal with the lines of its log above, the lines alone elsewhere. On standard error.</summary>
internal sealed class JobProgress(TextWriter error, JobRecord job)
{
    private volatile JobRecord _job = job;
    private IAnsiConsole? _console;     // while a bar is live: lines then go above it

    /// <summary>Follows a job and shows it until that ends.</summary>
    public async Task<T> ShowAsync<T>(Func<Task<T>> follow)
    {
        if (!ReferenceEquals(error, Console.Error) || Console.IsErrorRedirected)
            return await follow();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        _console = console;
        return await console.Progress().AutoClear(true).AutoRefresh(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask(Markup.Escape(Describe(_job)));
                Task<T> running = follow();
                while (await Task.WhenAny(running, Task.Delay(100)) != running)
                {
                    JobRecord now = _job;
                    bar.MaxValue = Math.Max(1, now.TotalSteps);
                    bar.Value = now.Step;
                    bar.Description = Markup.Escape(Describe(now));
                }

                return await running;
            });
    }

    /// <summary>Something has happened.</summary>
    public void On(JobLogEntry line)
    {
        _job = line.Record;
        if (line.Sequence > 0)
            Line(line.Text);
    }

    /// <summary>Writes a line.</summary>
    public void Line(string text)
    {
        if (_console is { } console)
            console.WriteLine(text);
        else
            error.WriteLine(text);
    }

    /// <summary>The words beside the bar.</summary>
    internal static string Describe(JobRecord job)
    {
        if (job.State != JobState.Running)
            return JobText.State(job);
        if (job.TotalSteps == 0)
            return "starting";
        long epoch = Math.Min(job.Spec.Epochs, (job.Step * job.Spec.Epochs / job.TotalSteps) + 1);
        string loss = job.Loss is { } l ? string.Create(CultureInfo.InvariantCulture, $"  loss {l:F4}") : "";
        string speed = "";
        if (job.SamplesPerSecond is > 0 and var images)
        {
            var left = TimeSpan.FromSeconds((job.TotalSteps - job.Step) * (double)job.Spec.Batch / images);
            speed = string.Create(CultureInfo.InvariantCulture, $"  {images:N0} images/s  {(long)left.TotalMinutes}:{left.Seconds:00} left");
        }

        return string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}/{job.Spec.Epochs}  step {job.Step}/{job.TotalSteps}{loss}{speed}");
    }
}
