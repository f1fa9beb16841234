using ConvNet.Data.Downloads;
using Spectre.Console;

namespace ConvNet.Cli.Rendering;

/// <summary>Shows how files come: a bar for each on a terminal, nothing elsewhere. On standard error.</summary>
internal static class DownloadBars
{
    /// <summary>Runs a download and shows it until it ends.</summary>
    public static async Task<T> ShowAsync<T>(TextWriter error, Func<IProgress<DownloadProgress>?, Task<T>> download)
    {
        if (Console.IsErrorRedirected)
            return await download(null);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return await console.Progress().AutoClear(true).AutoRefresh(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => download(new Bars(context)));
    }

    private sealed class Bars(ProgressContext context) : IProgress<DownloadProgress>
    {
        private readonly Dictionary<string, ProgressTask> _bars = [];

        public void Report(DownloadProgress value)
        {
            if (!_bars.TryGetValue(value.File, out ProgressTask? bar))
                _bars.Add(value.File, bar = context.AddTask(Markup.Escape(value.File), maxValue: value.Length));
            bar.Value = value.Bytes;
        }
    }
}
