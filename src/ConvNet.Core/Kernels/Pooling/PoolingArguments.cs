using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Pooling;

/// <summary>A pooling pass over planes of 16 lanes: x <c>[planes][H][W][16]</c>, y <c>[planes][OH][OW][16]</c>.</summary>
internal readonly unsafe struct PoolingArguments(
    float* x, float* y, float* dy, float* dx, int planes, int height, int width, Window rows, Window columns, bool countPadding = false)
{
    /// <summary>Input.</summary>
    public readonly float* X = x;

    /// <summary>Output: written forward, read by the backward pass of a maximum.</summary>
    public readonly float* Y = y;

    /// <summary>Gradient by output, backward only.</summary>
    public readonly float* Dy = dy;

    /// <summary>Gradient by input, overwritten backward.</summary>
    public readonly float* Dx = dx;

    /// <summary>Channels times blocks of samples.</summary>
    public readonly int Planes = planes;

    /// <summary>H.</summary>
    public readonly int Height = height;

    /// <summary>W.</summary>
    public readonly int Width = width;

    /// <summary>The window along H.</summary>
    public readonly Window Rows = rows;

    /// <summary>The window along W.</summary>
    public readonly Window Columns = columns;

    /// <summary>Average pooling only: whether padding counts in the divisor.</summary>
    public readonly bool CountPadding = countPadding;

    public int OutputHeight => Rows.Slide(Height);

    public int OutputWidth => Columns.Slide(Width);

    /// <summary>True where every input pixel lies in at most one window.</summary>
    public bool WindowsAreDisjoint =>
        Rows.Stride >= Rows.Extent && Columns.Stride >= Columns.Extent;

    /// <summary>True where every input pixel lies in exactly one window, so that a backward pass overwrites all of dx.</summary>
    public bool WindowsTile =>
        Rows is { Dilation: 1, Before: 0, After: 0, Overhang: 0 } && Columns is { Dilation: 1, Before: 0, After: 0, Overhang: 0 } &&
        Rows.Stride == Rows.Kernel && Columns.Stride == Columns.Kernel && Height % Rows.Kernel == 0 && Width % Columns.Kernel == 0;

    /// <summary>The taps inside the image for an output place: first, without end.</summary>
    public static (int First, int End) Taps(Window window, int place, int size)
    {
        int origin = (place * window.Stride) - window.Before;
        int first = origin >= 0 ? 0 : (-origin + window.Dilation - 1) / window.Dilation;
        int end = origin >= size ? 0 : Math.Min(window.Kernel, ((size - 1 - origin) / window.Dilation) + 1);
        return (first, Math.Max(first, end));
    }
}
