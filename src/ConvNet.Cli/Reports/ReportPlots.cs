using System.Globalization;
using ConvNet.Cluster.Jobs;
using ConvNet.Core.Training;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace ConvNet.Cli.Reports;

/// <summary>Draws a report's plots as PNG. The drawing library is loaded by the first of them, and by nothing else of the program.</summary>
internal sealed class ReportPlots(TrainingReport report, PlotTheme theme)
{
    private const int Width = 1280, Height = 720;
    private const int MostNames = 60, LongestName = 16;
    private const double Sharpness = 2;     // pixels of a point: screens have two

    /// <summary>Loss by epoch, with the steps as a thin line.</summary>
    public byte[] Loss()
    {
        Plot plot = Empty("loss");
        double[] losses = [.. report.Steps.Select(s => s.Loss)];
        Line(plot, "steps", [.. report.Steps.Select(s => report.EpochsAt(s.Version))], losses, theme.Training, faint: true);
        Epochs(plot, "training", e => e.TrainLoss, theme.Training);
        Epochs(plot, report.MeasuredName, e => e.TestLoss, theme.Test);
        Across(plot);
        // A few steps that are far off, as the first ones often are, leave the picture: they would squeeze everything else together.
        double most = losses.Order().ElementAtOrDefault(losses.Length * 49 / 50);
        plot.Axes.SetLimitsY(0, 1.1 * report.Epochs.SelectMany(e => new[] { e.TrainLoss, e.TestLoss ?? 0 }).Append(most).Append(1e-6).Max());
        return Png(plot, Alignment.UpperRight);
    }

    /// <summary>Accuracy by epoch, in per cent.</summary>
    public byte[] Accuracy()
    {
        Plot plot = Empty("accuracy, %");
        Epochs(plot, "training", e => 100 * e.TrainAccuracy, theme.Training);
        Epochs(plot, report.MeasuredName, e => 100 * e.TestAccuracy, theme.Test);
        Epochs(plot, $"{report.MeasuredName}, top-5", e => 100 * e.TestTop5, theme.Third);
        Across(plot);
        return Png(plot, Alignment.LowerRight);
    }

    /// <summary>Learning rate by epoch.</summary>
    public byte[] LearningRate()
    {
        Plot plot = Empty("learning rate");
        Line(plot, "", [.. report.Rates.Select(r => report.EpochsAt(r.Step))], [.. report.Rates.Select(r => (double)r.Rate)], theme.Training);
        Across(plot);
        plot.Axes.SetLimitsY(0, 1.05 * report.Rates.Select(r => (double)r.Rate).DefaultIfEmpty(1).Max());
        return Png(plot, legend: null);
    }

    /// <summary>Who was taken for whom, as a share of each class.</summary>
    public byte[] Confusion()
    {
        ConfusionMatrix confusion = report.Evaluation.Confusion;
        int classes = confusion.Classes;
        var values = new double[classes, classes];
        for (int label = 0; label < classes; label++)
        {
            for (int predicted = 0; predicted < classes; predicted++)
                values[label, predicted] = ConfusionColours.Value((double)confusion[label, predicted] / Math.Max(1, confusion.Samples(label)), label == predicted);
        }

        Plot plot = Empty("what they are", "what they were taken for");
        ScottPlot.Plottables.Heatmap map = plot.Add.Heatmap(values);
        (map.Colormap, map.ManualRange) = (new ConfusionColours(theme), new ScottPlot.Range(-1, 1));
        plot.Grid.IsVisible = false;
        if (classes <= ReportPage.MostColumns)
            Numbers(plot, confusion);
        // Row 0 is on top: the axis counts from below.
        plot.Axes.SetLimits(-0.5, classes - 0.5, -0.5, classes - 0.5);
        bool named = classes <= MostNames;
        double[] places = [.. Enumerable.Range(0, classes).Select(c => (double)c)];
        string[] names = named ? [.. report.ClassNames.Select(Short)] : [.. places.Select(_ => "")];
        plot.Axes.Bottom.TickGenerator = new NumericManual(places, names);
        plot.Axes.Left.TickGenerator = new NumericManual([.. places.Select(c => classes - 1 - c)], names);
        plot.Axes.Bottom.MajorTickStyle.Length = plot.Axes.Left.MajorTickStyle.Length = named ? 3 : 0;
        if (classes > 10 || names.Any(n => n.Length > 5))
        {
            plot.Axes.Bottom.TickLabelStyle.Rotation = -90;
            plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
            plot.Axes.Bottom.MinimumSize = 16 + (7.5f * names.Max(n => n.Length));
        }

        return Png(plot, legend: null, height: Width);
    }

    private Plot Empty(string vertical, string horizontal = "epoch")
    {
        PlotFont.Use();
        var plot = new Plot { ScaleFactor = Sharpness };
        plot.FigureBackground.Color = plot.DataBackground.Color = Color.FromHex(theme.Surface);
        plot.Axes.Color(Color.FromHex(theme.Ink));
        plot.Grid.MajorLineColor = Color.FromHex(theme.Grid);
        plot.Axes.Right.FrameLineStyle.IsVisible = plot.Axes.Top.FrameLineStyle.IsVisible = false;
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = report.Version > report.StepsPerEpoch, LabelFormatter = Number };
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = Number };
        (plot.Axes.Left.Label.Text, plot.Axes.Bottom.Label.Text) = (vertical, horizontal);
        plot.Axes.Left.Label.Bold = plot.Axes.Bottom.Label.Bold = false;
        plot.Legend.BackgroundColor = plot.Legend.OutlineColor = Color.FromHex(theme.Surface);
        (plot.Legend.FontColor, plot.Legend.ShadowColor) = (Color.FromHex(theme.Ink), Colors.Transparent);
        return plot;
    }

    /// <summary>From the beginning of the job to its last step.</summary>
    private void Across(Plot plot)
    {
        plot.Axes.AutoScale();
        plot.Axes.SetLimitsX(0, 1.02 * report.EpochsAt(Math.Max(1, report.Version)));
    }

    private void Numbers(Plot plot, ConfusionMatrix confusion)
    {
        for (int label = 0; label < confusion.Classes; label++)
        {
            for (int predicted = 0; predicted < confusion.Classes; predicted++)
            {
                if (confusion[label, predicted] == 0)
                    continue;
                ScottPlot.Plottables.Text number = plot.Add.Text($"{confusion[label, predicted]}", predicted, confusion.Classes - 1 - label);
                number.LabelStyle.Alignment = Alignment.MiddleCenter;
                number.LabelStyle.FontSize = confusion.Classes > 12 ? 8 : 11;
                // On a deep colour the page's own colour is easier to read than its ink.
                number.LabelStyle.ForeColor = Color.FromHex(2 * confusion[label, predicted] > confusion.Samples(label) ? theme.Surface : theme.Ink);
            }
        }
    }

    private void Epochs(Plot plot, string name, Func<EpochResult, double?> value, string colour)
    {
        EpochResult[] known = [.. report.Epochs.Where(e => value(e) is { } number && double.IsFinite(number))];
        Line(plot, name, [.. known.Select(report.EndOf)], [.. known.Select(e => value(e)!.Value)], colour);
    }

    private static void Line(Plot plot, string name, double[] x, double[] y, string colour, bool faint = false)
    {
        if (x.Length == 0)
            return;
        ScottPlot.Plottables.Scatter line = plot.Add.Scatter(x, y, Color.FromHex(colour).WithAlpha(faint ? 0.3 : 1));
        line.LegendText = name;
        line.LineWidth = faint ? 1 : 2;
        line.MarkerSize = faint || x.Length > 60 ? 0 : 6;
    }

    private static byte[] Png(Plot plot, Alignment? legend, int height = Height)
    {
        if (legend is { } corner)
            plot.ShowLegend(corner);
        using (plot)
            return plot.GetImageBytes(Width, height, ImageFormat.Png);
    }

    private static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Short(string name) => name.Length > LongestName ? $"{name[..(LongestName - 1)]}…" : name;
}
