namespace ConvNet.Core.Tensors;

/// <summary>How a window slides along one axis (rows or columns) of an image: convolution and pooling share this arithmetic.</summary>
/// <remarks>
/// Output size: ⌊(size + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1
/// (Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", §2 and §5.1).
/// Output place o looks at the places o·stride − before + k·dilation, k = 0…kernel−1; places outside the image are padding.
/// </remarks>
/// <param name="Kernel">Places of the window, at least 1.</param>
/// <param name="Stride">Pixels from one place of the window to the next, at least 1.</param>
/// <param name="Before">Pixels of padding above or to the left.</param>
/// <param name="After">Pixels of padding below or to the right.</param>
/// <param name="Dilation">Pixels from one tap to the next, at least 1.</param>
public readonly record struct Window(int Kernel, int Stride = 1, int Before = 0, int After = 0, int Dilation = 1)
{
    /// <summary>Pixels from the first to the last tap: dilation·(kernel − 1) + 1.</summary>
    public int Extent => checked((Dilation * (Kernel - 1)) + 1);

    /// <summary>The output's size for an input of <paramref name="size"/> pixels; 0 or less when the window does not fit.</summary>
    public int Slide(int size) => size + Before + After < Extent ? 0 : ((size + Before + After - Extent) / Stride) + 1;

    /// <summary>The same window with so much more padding after the image that the last places are not cut off (ceil mode): one that starts beyond image and padding before is not taken.</summary>
    /// <param name="size">Pixels of the image.</param>
    public Window RoundedUp(int size)
    {
        int reach = size + Before + After - Extent;
        int outputs = reach < 0 ? 0 : ((reach + Stride - 1) / Stride) + 1;
        if (outputs > 1 && (outputs - 1) * Stride >= size + Before)
            outputs--;
        return outputs < 1 ? this : this with { After = Math.Max(After, ((outputs - 1) * Stride) + Extent - size - Before) };
    }

    /// <summary>The input place under tap <paramref name="k"/> of output place <paramref name="o"/>; may lie outside the image.</summary>
    public int Source(int o, int k) => (o * Stride) - Before + (k * Dilation);

    /// <summary>The output places from <c>First</c> up to, without, <c>End</c> at which tap <paramref name="k"/> lies inside an image of <paramref name="size"/> pixels.</summary>
    public (int First, int End) InsideOf(int k, int size, int outputs)
    {
        int shift = (k * Dilation) - Before;                       // source = o·stride + shift
        int first = shift >= 0 ? 0 : (-shift + Stride - 1) / Stride;
        int end = size <= shift ? 0 : ((size - 1 - shift) / Stride) + 1;
        first = Math.Min(first, outputs);
        return (first, Math.Clamp(end, first, outputs));
    }
}
