using System.Diagnostics;
using System.Globalization;
using ConvNet.Cluster.Jobs;
using Spectre.Console;

namespace ConvNet.Cli.Rendering;

/// <summary>Shows how a job goes: a live bar on a terminal, a line an epoch elsewhere, nothing if quiet. On standard error.</summary>
/// <remarks>The job only leaves its numbers here; drawing is done on a thread of its own, ten times a second.</remarks>
internal sealed class TrainingProgress(TextWriter error, int epochs, int trainingSamples, bool quiet) : IJobObserver
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private readonly Queue<(long Time, long Samples)> _recent = new();
    private long _samples, _step, _totalSteps;
    private double _loss;
    private bool _first = true;
    private IAnsiConsole? _console;     // while a bar is live: lines then go above it

    /// <summary>Runs a job and shows it until it ends.</summary>
    public async Task<T> ShowAsync<T>(Func<Task<T>> job)
    {
        if (quiet || Console.IsErrorRedirected)
            return await job();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        _console = console;
        return await console.Progress().AutoClear(true).AutoRefresh(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask("starting", maxValue: (double)epochs * trainingSamples);
                Task<T> running = job();
                while (await Task.WhenAny(running, Task.Delay(100)) != running)
                {
                    bar.Value = Interlocked.Read(ref _samples);
                    bar.Description = Describe();
                }

                return await running;
            });
    }

    /// <inheritdoc/>
    public void On(JobEvent happened)
    {
        switch (happened)
        {
            case JobEvent.Began began:
                lock (_lock)
                    _totalSteps = began.TotalSteps;
                break;
            case JobEvent.Stepped stepped:
                lock (_lock)
                {
                    _samples += stepped.Samples;
                    _step = stepped.Step + 1;
                    // A mean over about 50 steps: single steps jump about.
                    _loss = _first ? stepped.Loss : _loss + ((stepped.Loss - _loss) * 0.02);
                    _first = false;
                    long now = Stopwatch.GetTimestamp();
                    _recent.Enqueue((now, _samples));
                    while (_recent.Count > 2 && Stopwatch.GetElapsedTime(_recent.Peek().Time, now) > Window)
                        _recent.Dequeue();
                }

                break;
            case JobEvent.Evaluated evaluated:
                lock (_lock)
                    Line($"epoch {evaluated.Epoch + 1}/{epochs}   loss {evaluated.TrainLoss:F4}   test loss {evaluated.Loss:F4}   accuracy {100 * evaluated.Accuracy:F2} %{Top5(evaluated.Top5)}   {Speed():N0} images/s");
                break;
            case JobEvent.EndsEarly early:
                Line($"{early.Text}");
                break;
            case JobEvent.WorkerLost lost:
                Line($"worker {lost.Worker} is lost ({lost.Reason}); {lost.Workers} left take over its share");
                break;
            case JobEvent.WorkerFellBehind behind:
                Line($"worker {behind.Worker} is far behind after step {behind.Version}; the others take over its share");
                break;
            case JobEvent.WorkerCaughtUp back:
                Line($"worker {back.Worker} has caught up and has its share again");
                break;
            case JobEvent.Stopping stopping:
                Line($"stopping after step {stopping.Version}");
                break;
        }
    }

    private static string Top5(double? share) => share is { } top5 ? FormattableString.Invariant($"   top-5 {100 * top5:F2} %") : "";

    private string Describe()
    {
        lock (_lock)
        {
            if (_step == 0)
                return "starting";
            double speed = Speed(), left = ((double)epochs * trainingSamples) - _samples;
            int epoch = (int)Math.Min(epochs, (_samples / trainingSamples) + 1);
            string time = speed > 0 ? TimeSpan.FromSeconds(left / speed).ToString(@"m\:ss", CultureInfo.InvariantCulture) : "?";
            return string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}/{epochs}  step {_step}/{_totalSteps}  loss {_loss:F4}  {speed:N0} images/s  {time} left");
        }
    }

    private double Speed()
    {
        if (_recent.Count < 2)
            return 0;
        ((long Time, long Samples) oldest, (long Time, long Samples) newest) = (_recent.Peek(), _recent.Last());
        return (newest.Samples - oldest.Samples) / Stopwatch.GetElapsedTime(oldest.Time, newest.Time).TotalSeconds;
    }

    private void Line(FormattableString text)
    {
        if (quiet)
            return;
        if (_console is { } console)
            console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        else
            error.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }
}
