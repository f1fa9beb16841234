using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Layers;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>A convolution's weights <c>[OC, C, KH, KW]</c> in the order in which passes over channel lanes read them, and gradients back from theirs. Moves numbers, computes nothing.</summary>
/// <remarks>
/// Both forms are <c>[D/16][block][tap][S of the block][16]</c>: 16 destination channels side by side, S the source channels of a sum in their blocks.
/// Forward the destinations are the output channels, in the gradient by input the input channels. Channels that are not there are zeros.
/// </remarks>
internal static unsafe class ChannelWeights
{
    /// <summary>Floats of one group of 16 destinations.</summary>
    public static int Panel(int taps, int sources) => checked(taps * sources * Stripes.Count);

    /// <summary>Packs <c>[OC, C, KH, KW]</c>.</summary>
    /// <param name="g">The convolution, without groups.</param>
    /// <param name="backward">Destinations are the input channels.</param>
    /// <param name="sources">Source channels with those that are filled up.</param>
    /// <param name="block">Source channels of a block.</param>
    /// <param name="weights"><c>[OC, C, KH, KW]</c>.</param>
    /// <param name="packed">One <see cref="Panel"/> for each 16 destinations, overwritten.</param>
    public static void Pack(ConvolutionGeometry g, bool backward, int sources, int block, float* weights, float* packed)
    {
        int groups = Extent.Groups(backward ? g.Input.Channels : g.OutChannels);
        for (int group = 0; group < groups; group++)
            PackPanel(g, backward, sources, block, weights, group, packed + ((nint)group * Panel(g.Taps, sources)));
    }

    /// <summary>Packs one panel: 16 destinations.</summary>
    public static void PackPanel(ConvolutionGeometry g, bool backward, int sources, int block, float* weights, int group, float* packed)
    {
        int taps = g.Taps, inputs = g.Input.Channels, first = group * Stripes.Count;
        (int realSources, int destinations) = backward ? (g.OutChannels, inputs) : (inputs, g.OutChannels);
        nint bySource = backward ? (nint)inputs * taps : taps, byDestination = backward ? taps : (nint)inputs * taps;
        int rows = Math.Min(Stripes.Count, destinations - first);
        if (rows < Stripes.Count || realSources < sources)
            new Span<float>(packed, Panel(taps, sources)).Clear();
        for (int start = 0; start < sources; start += block)
        {
            int depth = Math.Min(block, sources - start), real = Math.Min(depth, realSources - start);
            float* to = packed + ((nint)start * taps * Stripes.Count);
            float* from = weights + (first * byDestination) + (start * bySource);
            if (backward)
                PackRuns(from, real, bySource, rows, taps, depth, to);
            else
                PackColumns(from, byDestination, rows, real, taps, depth, to);
        }
    }

    /// <summary>A gradient from <c>[OC/16][tap][C][16]</c> to <c>[OC, C, KH, KW]</c>.</summary>
    /// <param name="g">The convolution, without groups.</param>
    /// <param name="sources">Input channels with those that are filled up.</param>
    /// <param name="packed">The gradient as it was summed.</param>
    /// <param name="gradient"><c>[OC, C, KH, KW]</c>, overwritten.</param>
    public static void Unpack(ConvolutionGeometry g, int sources, float* packed, float* gradient)
    {
        for (int group = 0; group < Extent.Groups(g.OutChannels); group++)
            UnpackPanel(g, sources, packed + ((nint)group * Panel(g.Taps, sources)), group, gradient);
    }

    /// <summary>Unpacks one panel: 16 output channels.</summary>
    public static void UnpackPanel(ConvolutionGeometry g, int sources, float* packed, int group, float* gradient)
    {
        int taps = g.Taps, terms = g.Input.Channels * taps, first = group * Stripes.Count;
        gradient += (nint)first * terms;
        int rows = Math.Min(Stripes.Count, g.OutChannels - first), whole = rows == Stripes.Count ? terms / 4 * 4 : 0;
        for (int term = 0; term < whole; term += 4)
        {
            float* a = At(term), b = At(term + 1), c = At(term + 2), d = At(term + 3);
            for (int lane = 0; lane < Stripes.Count; lane += 4)
                Transpose4.Columns(a + lane, b + lane, c + lane, d + lane, gradient + ((nint)lane * terms) + term, terms);
        }

        for (int term = whole; term < terms; term++)
        {
            for (int row = 0; row < rows; row++)
                gradient[((nint)row * terms) + term] = At(term)[row];
        }

        float* At(int term) => packed + ((((nint)(term % taps) * sources) + (term / taps)) * Stripes.Count);
    }

    /// <summary>16 rows of (channel, tap) terms to (tap, channel) rows of 16.</summary>
    private static void PackColumns(float* from, nint step, int rows, int channels, int taps, int depth, float* to)
    {
        int terms = channels * taps, whole = rows == Stripes.Count ? terms / 4 * 4 : 0;
        for (int term = 0; term < whole; term += 4)
        {
            float* a = At(term), b = At(term + 1), c = At(term + 2), d = At(term + 3);
            for (int lane = 0; lane < Stripes.Count; lane += 4)
                Transpose4.Rows(from + (lane * step) + term, step, a + lane, b + lane, c + lane, d + lane);
        }

        for (int term = whole; term < terms; term++)
        {
            for (int row = 0; row < rows; row++)
                At(term)[row] = from[(row * step) + term];
        }

        float* At(int term) => to + ((((nint)(term % taps) * depth) + (term / taps)) * Stripes.Count);
    }

    /// <summary>For each source a run of (destination, tap) to (tap, source) rows of destinations.</summary>
    private static void PackRuns(float* from, int sources, nint step, int destinations, int taps, int depth, float* to)
    {
        for (int source = 0; source < sources; source++, from += step, to += Stripes.Count)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                float* row = to + ((nint)tap * depth * Stripes.Count);
                for (int destination = 0; destination < destinations; destination++)
                    row[destination] = from[(destination * taps) + tap];
            }
        }
    }
}
