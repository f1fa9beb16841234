namespace ConvNet.Core.Tensors;

/// <summary>How an image is extended at its edges before a window slides over it.</summary>
/// <remarks>
/// <see cref="Same"/> gives ⌈size / stride⌉ outputs along each axis; where the padding is odd, the extra pixel is below and to the right (as in
/// TensorFlow and Keras). <see cref="Valid"/> pads nothing. A single number pads all four sides.
/// </remarks>
/// <param name="IsSame">Whether the amounts follow from the input; the four numbers are then 0.</param>
/// <param name="Top">Pixels above.</param>
/// <param name="Left">Pixels to the left.</param>
/// <param name="Bottom">Pixels below.</param>
/// <param name="Right">Pixels to the right.</param>
public readonly record struct Padding(bool IsSame, int Top, int Left, int Bottom, int Right)
{
    /// <summary>None.</summary>
    public static Padding Valid => default;

    /// <summary>So much that the output has the input's size divided by the stride, rounded up.</summary>
    public static Padding Same => new(true, 0, 0, 0, 0);

    /// <summary>The same on all four sides.</summary>
    public static implicit operator Padding(int all) => new(false, all, all, all, all);

    /// <summary>Different rows and columns, the same on opposite sides.</summary>
    public static Padding Of(int rows, int columns) => new(false, rows, columns, rows, columns);

    /// <summary>The windows along H and W for an input; rounded up as in <see cref="Window.RoundedUp"/> if asked for.</summary>
    public (Window Rows, Window Columns) Windows(Shape x, Size kernel, Size stride, Size dilation, bool ceilMode = false)
    {
        Window rows = Axis(x.Height, kernel.Height, stride.Height, dilation.Height, Top, Bottom);
        Window columns = Axis(x.Width, kernel.Width, stride.Width, dilation.Width, Left, Right);
        return ceilMode ? (rows.RoundedUp(x.Height), columns.RoundedUp(x.Width)) : (rows, columns);
    }

    /// <summary>Checks that a window can slide over an input.</summary>
    /// <exception cref="ShapeException">It cannot; the message names <paramref name="name"/> and says why.</exception>
    public void CheckWindow(string name, Shape x, Size kernel, Size stride, Size dilation, bool ceilMode = false)
    {
        CheckSizes(name, kernel, stride, dilation);
        (Window rows, Window columns) = Windows(x, kernel, stride, dilation, ceilMode);
        if (rows.Slide(x.Height) < 1 || columns.Slide(x.Width) < 1)
        {
            string spread = dilation == 1 ? "" : $" with dilation {dilation}";
            throw new ShapeException($"{name}: a {kernel.Height}×{kernel.Width} window{spread} does not fit an input of {x} with padding {this}.");
        }
    }

    /// <summary>Checks that window, stride, dilation and padding are not too small for any input.</summary>
    /// <exception cref="ShapeException">One is; the message names <paramref name="name"/> and says which.</exception>
    internal void CheckSizes(string name, Size kernel, Size stride, Size dilation)
    {
        foreach ((string what, Size size) in new[] { ("window", kernel), ("stride", stride), ("dilation", dilation) })
        {
            if (size.Height < 1 || size.Width < 1)
                throw new ShapeException($"{name}: a {what} takes at least 1 pixel each way, got {size}.");
        }

        if (Math.Min(Math.Min(Top, Left), Math.Min(Bottom, Right)) < 0)
            throw new ShapeException($"{name}: padding takes at least 0 pixels, got {this}.");
    }

    /// <summary>As in a job file: <c>same</c>, <c>valid</c>, one number, or top,left,bottom,right.</summary>
    public override string ToString() =>
        IsSame ? "same" : this == Valid ? "valid" : Top == Left && Left == Bottom && Bottom == Right ? $"{Top}" : $"{Top},{Left},{Bottom},{Right}";

    private Window Axis(int size, int kernel, int stride, int dilation, int before, int after)
    {
        if (IsSame)
        {
            int outputs = (size + stride - 1) / stride;
            int total = Math.Max(0, ((outputs - 1) * stride) + (dilation * (kernel - 1)) + 1 - size);
            (before, after) = (total / 2, total - (total / 2));
        }

        return new Window(kernel, stride, before, after, dilation);
    }
}
