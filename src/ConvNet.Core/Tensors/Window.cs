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

    /// <summary>Pixels beyond the padding that the last place of the window may reach over. There is nothing there, not even padding.</summary>
    public int Overhang { get; init; }

    /// <summary>The output's size for an input of <paramref name="size"/> pixels; 0 or less when the window does not fit.</summary>
    public int Slide(int size)
    {
        int room = size + Before + After + Overhang - Extent;
        return room < 0 ? 0 : (room / Stride) + 1;
    }

    /// <summary>The least size that gives <paramref name="outputs"/> outputs: what a transposed convolution makes of so many pixels. May be 0 or less.</summary>
    public int SlideBack(int outputs) => checked(((outputs - 1) * Stride) + Extent - Before - After);

    /// <summary>The window that slides on until it has reached the end (ceil mode: ⌈·⌉ in place of ⌊·⌋): its last place may reach over the edge, but starts on a pixel or on the padding before.</summary>
    /// <remarks>As PyTorch and Caffe have it. Where less than a stride is missing, a window larger than the padded image is taken once.</remarks>
    /// <param name="size">Pixels of the image.</param>
    public Window RoundedUp(int size)
    {
        int padded = size + Before + After, room = padded - Extent + Stride - 1;
        int places = room < 0 ? 0 : (room / Stride) + 1;
        if ((places - 1) * Stride >= size + Before)
            places--;
        return this with { Overhang = places < 1 ? 0 : Math.Max(0, ((places - 1) * Stride) + Extent - padded) };
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
