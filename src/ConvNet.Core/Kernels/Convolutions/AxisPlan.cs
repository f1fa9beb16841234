using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Convolutions;

/// <summary>A run of output places along one axis that all see the same taps: place i of it is <c>First + i·Step</c> and reads, for each tap, the source <c>tap.Source + i·SourceStep</c>.</summary>
/// <param name="First">The first output place.</param>
/// <param name="Step">From one output place to the next.</param>
/// <param name="Count">Output places.</param>
/// <param name="SourceStep">From one source to the next.</param>
/// <param name="Taps">The taps inside the image, k ascending, with the source of the first output place.</param>
internal sealed record AxisRun(int First, int Step, int Count, int SourceStep, AxisTap[] Taps);

/// <summary>Tap k of the window, and the source place that it reads for a run's first output place.</summary>
internal readonly record struct AxisTap(int K, int Source);

/// <summary>Which output places see which taps along one axis: worked out once, so that kernels never test for borders.</summary>
/// <remarks>
/// Taps outside the image do not take part in a sum at all; there is no padded copy. Interior places form one long run; border places
/// that see fewer taps form short runs of their own. The gradient by input of a strided convolution falls into one set of runs for each
/// remainder of the place by the stride, each an ordinary dense sum.
/// </remarks>
internal static class AxisPlan
{
    /// <summary>Runs over the output places of a forward pass.</summary>
    public static AxisRun[] Forward(Window window, int size)
    {
        int outputs = window.Slide(size);
        return Runs(Enumerable.Range(0, outputs), 1, window.Stride, o => Enumerable.Range(0, window.Kernel)
            .Select(k => new AxisTap(k, window.Source(o, k)))
            .Where(t => t.Source >= 0 && t.Source < size).ToArray());
    }

    /// <summary>Runs over the input places, which gather from the output places that looked at them.</summary>
    public static AxisRun[] Backward(Window window, int size)
    {
        int outputs = window.Slide(size);
        var runs = new List<AxisRun>();
        for (int remainder = 0; remainder < Math.Min(window.Stride, size); remainder++)
        {
            IEnumerable<int> places = Enumerable.Range(0, (size - remainder + window.Stride - 1) / window.Stride)
                .Select(i => remainder + (i * window.Stride));
            runs.AddRange(Runs(places, window.Stride, 1, place => Enumerable.Range(0, window.Kernel)
                .Where(k => (place + window.Before - (k * window.Dilation)) % window.Stride == 0)
                .Select(k => new AxisTap(k, (place + window.Before - (k * window.Dilation)) / window.Stride))
                .Where(t => t.Source >= 0 && t.Source < outputs).ToArray()));
        }

        return [.. runs];
    }

    private static AxisRun[] Runs(IEnumerable<int> places, int step, int sourceStep, Func<int, AxisTap[]> tapsOf)
    {
        var runs = new List<AxisRun>();
        foreach (int place in places)
        {
            AxisTap[] taps = tapsOf(place);
            if (runs.Count > 0 && runs[^1].Taps.Select(t => t.K).SequenceEqual(taps.Select(t => t.K)))
                runs[^1] = runs[^1] with { Count = runs[^1].Count + 1 };
            else
                runs.Add(new AxisRun(place, step, 1, sourceStep, taps));
        }

        return [.. runs];
    }
}
