using ScottPlot;

namespace ConvNet.Cli.Reports;

/// <summary>Colours of a confusion matrix: from 0, nothing, up to 1 for right answers, down to −1 for wrong ones.</summary>
/// <remarks>Goes by the square root of the share: otherwise the few mistakes of a good network could not be seen.</remarks>
internal sealed class ConfusionColours(PlotTheme theme) : IColormap
{
    private readonly Color _nothing = Color.FromHex(theme.Surface), _right = Color.FromHex(theme.Training), _wrong = Color.FromHex(theme.Wrong);

    /// <inheritdoc/>
    public string Name => "Confusion";

    /// <summary>The value of a cell.</summary>
    /// <param name="share">The share of a class's samples that were taken for a class, from 0 to 1.</param>
    /// <param name="right">Whether that is the same class.</param>
    public static double Value(double share, bool right) => Math.Sqrt(share) * (right ? 1 : -1);

    /// <inheritdoc/>
    public Color GetColor(double position) => _nothing.MixedWith(position < 0.5 ? _wrong : _right, Math.Abs((2 * position) - 1));
}
