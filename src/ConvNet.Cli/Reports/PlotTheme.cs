namespace ConvNet.Cli.Reports;

/// <summary>Colours of the plots, as <c>#rrggbb</c>. Those of the page, in report.html, are the same.</summary>
/// <param name="Surface">Behind everything.</param>
/// <param name="Ink">Axes and text.</param>
/// <param name="Grid">Lines of the grid.</param>
/// <param name="Training">Curves of the training set; right answers.</param>
/// <param name="Test">Curves of the test set.</param>
/// <param name="Third">A third curve.</param>
/// <param name="Wrong">Wrong answers.</param>
internal sealed record PlotTheme(string Surface, string Ink, string Grid, string Training, string Test, string Third, string Wrong)
{
    /// <summary>Dark on light.</summary>
    public static PlotTheme Light { get; } = new("#ffffff", "#3f3f46", "#e4e4e7", "#2563eb", "#d97706", "#059669", "#dc2626");

    /// <summary>Light on dark.</summary>
    public static PlotTheme Dark { get; } = new("#1c1c21", "#d4d4d8", "#34343c", "#60a5fa", "#fbbf24", "#34d399", "#f87171");
}
