using System.Globalization;
using System.Net;
using System.Text;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Jobs;
using ConvNet.Core.Networks;
using ConvNet.Core.Training;
using ConvNet.Data;
using ConvNet.Data.Evaluations;
using ConvNet.Data.Images;

namespace ConvNet.Cli.Reports;

/// <summary>A plot in both themes, as PNG.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Light">Dark on light.</param>
/// <param name="Dark">Light on dark.</param>
internal sealed record ThemedPlot(string Title, byte[] Light, byte[] Dark);

/// <summary>Lays a report out as one HTML page that needs nothing else: no script, no network, no other file. The frame and the style are report.html.</summary>
internal static class ReportPage
{
    /// <summary>Classes of which the whole matrix is a table; of more it is a picture.</summary>
    internal const int MostColumns = 20;

    private const int MostPairs = 15, MistakeSide = 112;

    /// <summary>The page.</summary>
    /// <param name="report">What it shows.</param>
    /// <param name="plots">The curves.</param>
    /// <param name="confusion">The matrix as a picture; null where the page has it as a table.</param>
    /// <param name="filters">The filters of the first layer as PNG; null where there are none to see.</param>
    /// <exception cref="DataException">An image cannot be read.</exception>
    public static string Html(TrainingReport report, IEnumerable<ThemedPlot> plots, ThemedPlot? confusion, byte[]? filters)
    {
        using var template = new StreamReader(typeof(ReportPage).Assembly.GetManifestResourceStream("report.html")!);
        var parts = new Dictionary<string, string>
        {
            ["title"] = Text($"{report.Network.Name} on {report.Spec.Data}"),
            ["subtitle"] = Text(Subtitle(report)),
            ["figures"] = string.Concat(Figures(report).Select(f => $"<div><dt>{Text(f.Name)}</dt><dd>{Text(f.Value)}</dd></div>\n")),
            ["plots"] = string.Concat(plots.Select(p => Section(p.Title, Picture(p))))
                + (filters == null ? "" : Section("Filters of the first layer", $"<img src=\"{Png(filters)}\" alt=\"Filters of the first convolution\">")),
            ["confusion"] = Section("Who was taken for whom", (confusion == null ? Matrix(report) : Picture(confusion)) + Pairs(report)),
            ["mistakes"] = Mistakes(report),
            ["settings"] = Section("The job", Settings(report)),
            ["layers"] = Layers(report),
        };
        return parts.Aggregate(template.ReadToEnd(), (page, part) => page.Replace($"{{{{{part.Key}}}}}", part.Value, StringComparison.Ordinal));
    }

    private static string Subtitle(TrainingReport report)
    {
        string steps = report.Stopped
            ? string.Create(CultureInfo.InvariantCulture, $"Stopped after step {report.Version:N0} of {report.TotalSteps:N0}")
            : string.Create(CultureInfo.InvariantCulture, $"{report.Version:N0} steps in {report.Epochs.Count} {(report.Epochs.Count == 1 ? "epoch" : "epochs")}");
        return report.BestEpoch is { } best ? $"{steps}; the weights are those after epoch {best + 1}, the best." : $"{steps}.";
    }

    private static IEnumerable<(string Name, string Value)> Figures(TrainingReport report)
    {
        ModelEvaluation evaluation = report.Evaluation;
        string images = IsPart(report) ? $", {Number(evaluation.Samples)} images" : "";
        yield return ($"{report.MeasuredName} accuracy{images}", Percent(evaluation.Accuracy));
        if (EpochResult.TellsTop5(report.Network.Classes))
            yield return ("top-5", Percent(evaluation.Top5));
        yield return ($"{report.MeasuredName} loss", evaluation.Loss.ToString("F4", CultureInfo.InvariantCulture));
        if (report.Kept is { } kept)
            yield return ("training loss", kept.TrainLoss.ToString("F4", CultureInfo.InvariantCulture));
        yield return ("parameters", Number(report.Network.ParameterCount));
        yield return ("images/s", report.Throughput.SamplesPerSecond.ToString("N0", CultureInfo.InvariantCulture));
        yield return ("time", report.Throughput.Elapsed.ToString(report.Throughput.Elapsed.TotalHours < 1 ? @"m\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture));
    }

    private static bool IsPart(TrainingReport report) => report.Evaluation.Samples < report.TestImages;

    private static string Matrix(TrainingReport report)
    {
        ConfusionMatrix confusion = report.Evaluation.Confusion;
        var html = new StringBuilder("<p class=\"soft\">Rows: what they are; columns: what they were taken for.</p>\n<div class=\"wide\"><table class=\"matrix\"><thead><tr><th></th>");
        foreach (string name in report.ClassNames)
            html.Append(CultureInfo.InvariantCulture, $"<th>{Text(name)}</th>");
        html.Append("<th>accuracy</th></tr></thead><tbody>\n");
        for (int label = 0; label < confusion.Classes; label++)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(report.ClassNames[label])}</th>");
            for (int predicted = 0; predicted < confusion.Classes; predicted++)
            {
                int count = confusion[label, predicted];
                double depth = Math.Abs(ConfusionColours.Value((double)count / Math.Max(1, confusion.Samples(label)), label == predicted));
                html.Append(count == 0
                    ? "<td class=\"soft\">·</td>"
                    : string.Create(CultureInfo.InvariantCulture, $"<td style=\"background:color-mix(in srgb, var(--{(label == predicted ? "right" : "wrong")}) {10 + (45 * depth):F0}%, transparent)\">{count}</td>"));
            }

            html.Append(CultureInfo.InvariantCulture, $"<td>{(confusion.Samples(label) > 0 ? Percent(confusion.Accuracy(label)) : "")}</td></tr>\n");
        }

        return html.Append("</tbody></table></div>\n").ToString();
    }

    private static string Pairs(TrainingReport report)
    {
        string[] pairs = [.. report.Evaluation.Confusion.Confusions.Take(MostPairs).Select(pair => $"<tr><td>{Text(report.ClassNames[pair.Label])}</td><td>{Text(report.ClassNames[pair.Predicted])}</td><td>{Number(pair.Count)}</td></tr>\n")];
        return pairs.Length == 0 || report.Network.Classes <= MostColumns
            ? ""
            : $"<div class=\"wide\"><table><thead><tr><th>most frequent mistakes: what they are</th><th>taken for</th><th>images</th></tr></thead><tbody>\n{string.Concat(pairs)}</tbody></table></div>\n";
    }

    private static string Mistakes(TrainingReport report)
    {
        int wrong = report.Evaluation.Samples - Enumerable.Range(0, report.Network.Classes).Sum(report.Evaluation.Confusion.Correct);
        string of = string.Create(CultureInfo.InvariantCulture, $"{wrong:N0} of {report.Evaluation.Samples:N0} {report.MeasuredName} images are taken for another class");
        string measured = IsPart(report) ? string.Create(CultureInfo.InvariantCulture, $" (evenly spread among all {report.TestImages:N0}, because the job was stopped)") : "";
        var html = new StringBuilder($"<p class=\"soft\">{Text(of)}{Text(measured)}{(report.Mistakes.Count > 0 ? "; these are the ones it is surest about" : "")}.</p>\n<div class=\"pictures\">\n");
        var image = new byte[report.Measured.Shape.Elements];
        foreach (Mistake mistake in report.Mistakes)
        {
            report.Measured.Read(mistake.Sample, image);
            string label = Text(report.ClassNames[mistake.Label]), predicted = Text(report.ClassNames[mistake.Predicted]);
            html.Append(CultureInfo.InvariantCulture, $"<figure><img src=\"{Png(Thumbnail.Png(image, report.Measured.Shape, MistakeSide))}\" alt=\"{label} taken for {predicted}\"><figcaption><b>{label}</b> taken for <b>{predicted}</b>, {100 * mistake.Probability:F1}&nbsp;%</figcaption></figure>\n");
        }

        return Section("The most confident mistakes", html.Append("</div>\n").ToString());
    }

    private static string Settings(TrainingReport report)
    {
        JobSpec spec = report.Spec;
        (string Name, string? Value)[] lines =
        [
            ("model", spec.Network == null ? spec.Model : $"{spec.Model}, a network of the job's own"),
            ("data", spec.Data),
            ("images", string.Create(CultureInfo.InvariantCulture, $"{report.Training.Count:N0} training, {report.TestImages:N0} {report.MeasuredName}, of {report.Training.Shape}, {report.ClassNames.Count} classes")),
            ("epochs", Number(spec.Epochs)),
            ("batch", string.Create(CultureInfo.InvariantCulture, $"{spec.Batch} in micro-batches of {spec.MicroBatch}")),
            ("optimizer", RecipeText.Optimizer(spec)),
            ("schedule", RecipeText.Schedule(spec)),
            ("besides", RecipeText.Besides(spec)),
            ("augment", spec.Augment.Length > 0 ? spec.Augment : null),
            ("seed", spec.Seed.ToString(CultureInfo.InvariantCulture)),
        ];
        string rows = string.Concat(lines.Where(l => l.Value != null).Select(l => $"<tr><th>{l.Name}</th><td>{Text(l.Value!)}</td></tr>\n"));
        return $"<table class=\"settings\"><tbody>\n{rows}<tr><th>weights</th><td>sha256 <code>{report.WeightsSha256}</code></td></tr>\n</tbody></table>\n";
    }

    private static string Layers(TrainingReport report)
    {
        var summary = new NetworkSummary(report.Network, report.Spec.MicroBatch);
        string rows = string.Concat(summary.Layers.Select(l =>
            $"<tr><td>{Text(l.Name)}</td><td>{l.Kind}</td><td>{l.Output}</td><td>{(l.Parameters == 0 ? "" : Number(l.Parameters))}</td><td>{(l.MultiplyAdds == 0 ? "" : Amounts.Count(l.MultiplyAdds))}</td></tr>\n"));
        return $"<section><details><summary>{summary.Layers.Count} layers, {Number(report.Network.ParameterCount)} parameters, {Amounts.Count(report.Network.MultiplyAdds)} multiply-adds an image</summary>\n<div class=\"wide\"><table><thead><tr><th>layer</th><th>kind</th><th>output</th><th>parameters</th><th>multiply-adds</th></tr></thead><tbody>\n{rows}</tbody></table></div></details></section>\n";
    }

    private static string Section(string title, string content) => $"<section><h2>{Text(title)}</h2>\n{content}</section>\n";

    private static string Picture(ThemedPlot plot) =>
        $"<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"{Png(plot.Dark)}\"><img src=\"{Png(plot.Light)}\" alt=\"{Text(plot.Title)}\"></picture>\n";

    private static string Png(byte[] png) => $"data:image/png;base64,{Convert.ToBase64String(png)}";

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:F2} %");
}
