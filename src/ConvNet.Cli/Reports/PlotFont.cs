using ScottPlot;
using SkiaSharp;

namespace ConvNet.Cli.Reports;

/// <summary>The letters of the plots: a font of our own, because servers and containers have none, and plots then look the same everywhere.</summary>
internal sealed class PlotFont : IFontResolver
{
    private const string Name = "DejaVu Sans";

    private static readonly Lazy<SKTypeface> Typeface = new(Load);

    /// <summary>Makes it the font of all plots of this process.</summary>
    public static void Use()
    {
        if (!Fonts.FontResolvers.OfType<PlotFont>().Any())
            Fonts.FontResolvers.Insert(0, new PlotFont());
        Fonts.Default = Fonts.Sans = Name;
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) => fontName == Name ? Typeface.Value : null;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Name ? Typeface.Value : null;

    private static SKTypeface Load()
    {
        using Stream font = typeof(PlotFont).Assembly.GetManifestResourceStream("DejaVuSans.ttf")!;
        return SKTypeface.FromStream(font);
    }
}
