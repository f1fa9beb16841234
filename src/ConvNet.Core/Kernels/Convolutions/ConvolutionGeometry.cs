using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Convolutions;

/// <summary>Everything about a convolution but its numbers.</summary>
/// <remarks>
/// x <c>[N, C, H, W]</c>, w <c>[OC, C/groups, KH, KW]</c>, y <c>[N, OC, OH, OW]</c>. The window is not flipped (cross-correlation).
/// Group g reads channels g·C/groups … and writes channels g·OC/groups ….
/// </remarks>
/// <param name="Input">C, H, W.</param>
/// <param name="OutChannels">OC.</param>
/// <param name="Rows">The window along H.</param>
/// <param name="Columns">The window along W.</param>
/// <param name="Groups">Divides C and OC.</param>
internal sealed record ConvolutionGeometry(Shape Input, int OutChannels, Window Rows, Window Columns, int Groups)
{
    /// <summary>OC, OH, OW.</summary>
    public Shape Output => new(OutChannels, Rows.Slide(Input.Height), Columns.Slide(Input.Width));

    /// <summary>C / groups.</summary>
    public int GroupInputs => Input.Channels / Groups;

    /// <summary>OC / groups.</summary>
    public int GroupOutputs => OutChannels / Groups;

    /// <summary>KH·KW.</summary>
    public int Taps => Rows.Kernel * Columns.Kernel;

    /// <summary>OC · C/groups · KH · KW.</summary>
    public int Weights => OutChannels * GroupInputs * Taps;
}
