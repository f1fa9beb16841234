using System.Runtime.CompilerServices;
using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Winograd;

/// <summary>Weights <c>[OC, C, r, r]</c> to their transforms <c>[36][D/16][S][16]</c>, and gradients back.</summary>
internal static unsafe class WinogradWeights<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    /// <summary>Floats of transforms, 8 MB: as many and more leave little of the caches to anything else.</summary>
    private const long UncachedFrom = 2 << 20;

    /// <summary>How far ahead the 36 transforms of a window are asked for, in floats: so many streams the processor does not foresee.</summary>
    private const int Ahead = 8 * Stripes.Count;

    private const int Square = WinogradTiling.Square, Row = Square * Stripes.Count;

    /// <summary>G g Gᵀ of every window.</summary>
    /// <param name="g">The convolution.</param>
    /// <param name="t">The tiling of the pass.</param>
    /// <param name="backward">Destinations are input channels, and windows are turned about.</param>
    /// <param name="weights"><c>[OC, C, r, r]</c>.</param>
    /// <param name="u">Overwritten.</param>
    /// <param name="panel">Scratch, <see cref="PanelLength"/> floats.</param>
    public static void Transform(ConvolutionGeometry g, WinogradTiling t, bool backward, float* weights, float* u, float* panel)
    {
        float* square = stackalloc float[WinogradTiling.MostWindow * Row];
        int window = t.Window;
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
                        w += ((window * window) - 1) * tap;
                    for (int row = 0; row < window; row++)
                        Weights(w + (row * window * next), next, window, square + (row * Row) + lane, Stripes.Count, uncached: false);

                    for (int column = 0; column < Square; column++)
                        Weights(square + (column * Stripes.Count) + lane, Row, window, to + (column * step), Square * step, uncached);
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
    /// <param name="gradient"><c>[OC, C, r, r]</c>, overwritten.</param>
    /// <param name="panel">Scratch, <see cref="PanelLength"/> floats.</param>
    public static void Gradient(ConvolutionGeometry g, WinogradTiling t, float* du, float* gradient, float* panel)
    {
        const int Half = WinogradTiling.MostWindow * Stripes.Count;
        float* square = stackalloc float[Square * Half];
        int window = t.Window;
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
                        WeightGradient(p, step, window, square + (row * Half) + lane, Stripes.Count);
                    }

                    for (int column = 0; column < window; column++)
                        WeightGradient(square + (column * Stripes.Count) + lane, Half, window, to + (column * tap), window * tap);
                }
            }

            ChannelWeights.UnpackPanel(g, sources, panel, group, gradient);
        }
    }

    /// <summary>Floats of a panel of 16 destinations.</summary>
    public static int PanelLength(WinogradTiling t) => t.Window * t.Window * t.SourceGroups * Stripes.Count * Stripes.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Weights(float* g, nint next, int window, float* to, nint step, bool uncached)
    {
        TVector g0 = TOps.Load(g), g1 = TOps.Load(g + next), g2 = TOps.Load(g + (2 * next));
        if (window == 3)
            WinogradTransforms<TVector, TOps>.Weights(g0, g1, g2, to, step, uncached);
        else
            WinogradTransforms<TVector, TOps>.Weights(g0, g1, g2, TOps.Load(g + (3 * next)), TOps.Load(g + (4 * next)), to, step, uncached);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WeightGradient(float* u, nint next, int window, float* to, nint step)
    {
        TVector u0 = TOps.Load(u), u1 = TOps.Load(u + next), u2 = TOps.Load(u + (2 * next)), u3 = TOps.Load(u + (3 * next)), u4 = TOps.Load(u + (4 * next)), u5 = TOps.Load(u + (5 * next));
        if (window == 3)
            WinogradTransforms<TVector, TOps>.WeightGradient(u0, u1, u2, u3, u4, u5, to, step);
        else
            WinogradTransforms<TVector, TOps>.WeightGradient5(u0, u1, u2, u3, u4, u5, to, step);
    }
}
