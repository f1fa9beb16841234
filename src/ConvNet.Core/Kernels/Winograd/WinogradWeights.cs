using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Winograd;

/// <summary>Weights <c>[OC, C, 3, 3]</c> to their transforms <c>[36][D/16][S][16]</c>, and gradients back.</summary>
internal static unsafe class WinogradWeights<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    /// <summary>Floats of transforms, 8 MB: as many and more leave little of the caches to anything else.</summary>
    private const long UncachedFrom = 2 << 20;

    /// <summary>How far ahead the 36 transforms of a window are asked for, in floats: so many streams the processor does not foresee.</summary>
    private const int Ahead = 8 * Stripes.Count;

    private const int Window = 3, Square = WinogradTiling.Square, Row = Square * Stripes.Count;

    /// <summary>G g Gᵀ of every window.</summary>
    /// <param name="g">The convolution.</param>
    /// <param name="t">The tiling of the pass.</param>
    /// <param name="backward">Destinations are input channels, and windows are turned about.</param>
    /// <param name="weights"><c>[OC, C, 3, 3]</c>.</param>
    /// <param name="u">Overwritten.</param>
    /// <param name="panel">Scratch, <see cref="PanelLength"/> floats.</param>
    public static void Transform(ConvolutionGeometry g, WinogradTiling t, bool backward, float* weights, float* u, float* panel)
    {
        float* square = stackalloc float[Window * Row];
        int sources = t.SourceGroups * Stripes.Count;
        nint tap = (nint)sources * Stripes.Count, step = t.WeightStep;
        bool uncached = WritesUncached(t);
        for (int group = 0; group < t.DestinationGroups; group++)
        {
            ChannelWeights.PackPanel(g, backward, sources, sources, weights, group, panel);
            for (int source = 0; source < sources; source++)
            {
                for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                {
                    float* w = panel + ((nint)source * Stripes.Count) + lane, to = u + ((((nint)group * sources) + source) * Stripes.Count) + lane;
                    nint next = backward ? -tap : tap;
                    if (backward)
                        w += ((Window * Window) - 1) * tap;
                    for (int row = 0; row < Window; row++)
                    {
                        float* p = w + (row * Window * next);
                        WinogradTransforms<TVector, TOps>.Weights(TOps.Load(p), TOps.Load(p + next), TOps.Load(p + (2 * next)), square + (row * Row) + lane, Stripes.Count);
                    }

                    for (int column = 0; column < Square; column++)
                    {
                        float* s = square + (column * Stripes.Count) + lane;
                        WinogradTransforms<TVector, TOps>.Weights(TOps.Load(s), TOps.Load(s + Row), TOps.Load(s + (2 * Row)), to + (column * step), Square * step, uncached);
                    }
                }
            }
        }

        if (uncached)
            Widest.Fence();
    }

    /// <summary>Whether transforms are written around the caches: none would hold them until they are read, and whole lines are written at once.</summary>
    public static bool WritesUncached(WinogradTiling t) =>
        TOps.Count == Stripes.Count && (long)WinogradTiling.Places * t.WeightStep > UncachedFrom;

    /// <summary>Gᵀ du G of every window.</summary>
    /// <param name="g">The convolution.</param>
    /// <param name="t">The tiling of the forward pass.</param>
    /// <param name="du">The gradients of the transforms.</param>
    /// <param name="gradient"><c>[OC, C, 3, 3]</c>, overwritten.</param>
    /// <param name="panel">Scratch, <see cref="PanelLength"/> floats.</param>
    public static void Gradient(ConvolutionGeometry g, WinogradTiling t, float* du, float* gradient, float* panel)
    {
        const int Half = Window * Stripes.Count;
        float* square = stackalloc float[Square * Half];
        int sources = t.SourceGroups * Stripes.Count;
        nint tap = (nint)sources * Stripes.Count, step = t.WeightStep;
        for (int group = 0; group < t.DestinationGroups; group++)
        {
            for (int source = 0; source < sources; source++)
            {
                for (int lane = 0; lane < Stripes.Count; lane += TOps.Count)
                {
                    float* from = du + ((((nint)group * sources) + source) * Stripes.Count) + lane, to = panel + ((nint)source * Stripes.Count) + lane;
                    for (int row = 0; row < Square; row++)
                    {
                        float* p = from + (row * Square * step);
                        for (int column = 0; column < Square; column++)
                            ProductTile.Prefetch(p + (column * step) + Ahead);
                        WinogradTransforms<TVector, TOps>.WeightGradient(
                            TOps.Load(p), TOps.Load(p + step), TOps.Load(p + (2 * step)), TOps.Load(p + (3 * step)), TOps.Load(p + (4 * step)), TOps.Load(p + (5 * step)),
                            square + (row * Half) + lane, Stripes.Count);
                    }

                    for (int column = 0; column < Window; column++)
                    {
                        float* s = square + (column * Stripes.Count) + lane;
                        WinogradTransforms<TVector, TOps>.WeightGradient(
                            TOps.Load(s), TOps.Load(s + Half), TOps.Load(s + (2 * Half)), TOps.Load(s + (3 * Half)), TOps.Load(s + (4 * Half)), TOps.Load(s + (5 * Half)),
                            to + (column * tap), Window * tap);
                    }
                }
            }

            ChannelWeights.UnpackPanel(g, sources, panel, group, gradient);
        }
    }

    /// <summary>Floats of a panel of 16 destinations.</summary>
    public static int PanelLength(WinogradTiling t) => Window * Window * t.SourceGroups * Stripes.Count * Stripes.Count;
}
