using ConvNet.Core.Kernels.Pooling;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Keeps the greatest value that each window sees.</summary>
/// <remarks>
/// x <c>[N, C, H, W]</c> → y <c>[N, C, OH, OW]</c>, sizes as in <see cref="Conv2D"/>.
/// Padding never wins. The gradient goes to the first maximum of a window, row by row; overlapping windows add up.
/// </remarks>
/// <param name="Kernel">The window's height and width.</param>
public sealed record MaxPool2D(Size Kernel) : Layer
{
    /// <summary>Pixels from one place of the window to the next; the window's size unless given.</summary>
    public Size Stride { get; init; } = Kernel;

    /// <summary>Places around the image.</summary>
    public Padding Padding { get; init; } = Padding.Valid;

    /// <summary>Whether a window that hangs over the end of the image is taken too, as long as it starts inside: the size is rounded up instead of down.</summary>
    public bool CeilMode { get; init; }

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        Padding.CheckWindow(name, x, Kernel, Stride, dilation: 1, CeilMode);
        (Window rows, Window columns) = Padding.Windows(x, Kernel, Stride, 1, CeilMode);
        if (rows.Before >= rows.Kernel || rows.After >= rows.Kernel || columns.Before >= columns.Kernel || columns.After >= columns.Kernel)
            throw new ShapeException($"{name}: padding {Padding} is not smaller than the {Kernel.Height}×{Kernel.Width} window, so a window could see no pixel.");
        return new Shape(x.Channels, rows.Slide(x.Height), columns.Slide(x.Width));
    }

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(this, new(inputs[0], Layout.Samples));

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes(this, plan.Input);

    private sealed unsafe class Passes(MaxPool2D layer, Extent extent) : Operation
    {
        private readonly Shape _x = extent.Shape;
        private readonly (Window Rows, Window Columns) _windows = layer.Padding.Windows(extent.Shape, layer.Kernel, layer.Stride, 1, layer.CeilMode);

        public override bool BackwardReadsInput => true;

        public override bool BackwardReadsOutput => true;

        public override void Forward(in Frame f) => Widest.Run<MaxPoolingForward, PoolingArguments>(
            new PoolingArguments(f.Input, f.Output, null, null, extent.Planes(in f), _x.Height, _x.Width, _windows.Rows, _windows.Columns));

        public override void Backward(in Frame f)
        {
            if (f.InputGradient == null)
                return;
            Widest.Run<MaxPoolingBackward, PoolingArguments>(new PoolingArguments(
                f.Input, f.Output, f.OutputGradient, f.InputGradient, extent.Planes(in f), _x.Height, _x.Width, _windows.Rows, _windows.Columns));
        }
    }
}
