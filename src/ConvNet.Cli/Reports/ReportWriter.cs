using System.Text;
using ConvNet.Data.Files;

namespace ConvNet.Cli.Reports;

/// <summary>Writes a report into a run's folder: <c>report.html</c>, and its plots beside it as PNG files.</summary>
/// <remarks>A report is for looking at: where it cannot be made, that is a warning, and the model stays what it is.</remarks>
internal static class ReportWriter
{
    /// <summary>The page's file.</summary>
    public const string PageName = "report.html";

    /// <summary>Collects a report and writes it.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="collect">Collects it.</param>
    /// <param name="error">Is told where it cannot be made.</param>
    /// <returns>The path of the page; null where it could not be made.</returns>
    public static string? TryWrite(string folder, Func<TrainingReport> collect, TextWriter error)
    {
        try
        {
            return Write(folder, collect());
        }
        catch (Exception failure)
        {
            // Whatever it is, from a full disk to a machine without the drawing library: hours of training are not to end with it.
            error.WriteLine($"warning: the report could not be written to {Path.Combine(folder, PageName)} ({Root(failure).Message.TrimEnd('.')}). The model is saved all the same.");
            return null;
        }
    }

    private static string Write(string folder, TrainingReport report)
    {
        ReportPlots light = new(report, PlotTheme.Light), dark = new(report, PlotTheme.Dark);
        (string Title, string File, Func<ReportPlots, byte[]> Draw)[] curves =
        [
            ("Loss", "loss.png", p => p.Loss()),
            ("Accuracy", "accuracy.png", p => p.Accuracy()),
            ("Learning rate", "learning-rate.png", p => p.LearningRate()),
        ];
        var plots = new List<ThemedPlot>();
        foreach ((string title, string file, Func<ReportPlots, byte[]> draw) in curves)
        {
            plots.Add(new(title, draw(light), draw(dark)));
            Save(folder, file, plots[^1].Light);
        }

        byte[] confusion = light.Confusion();
        Save(folder, "confusion.png", confusion);
        byte[]? filters = FilterPicture.Png(report.Network, report.Model.Weights);
        if (filters != null)
            Save(folder, "filters.png", filters);
        ThemedPlot? matrix = report.Network.Classes > ReportPage.MostColumns ? new("Confusion matrix", confusion, dark.Confusion()) : null;
        return Save(folder, PageName, Encoding.UTF8.GetBytes(ReportPage.Html(report, plots, matrix, filters)));
    }

    private static string Save(string folder, string name, byte[] content)
    {
        string path = Path.Combine(folder, name);
        AtomicFile.Write(path, stream => stream.Write(content));
        return path;
    }

    private static Exception Root(Exception failure) => failure is TypeInitializationException { InnerException: { } inner } ? Root(inner) : failure;
}
