using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>A shortcut without parameters between blocks of different shapes: every stride-th pixel, and zeros for the channels that are new.</summary>
/// <remarks>
/// x <c>[N, C, H, W]</c> → y <c>[N, OC, ⌈H / stride⌉, ⌈W / stride⌉]</c>: y[c, h, w] = x[c, stride·h, stride·w], and 0 for c ≥ C.
/// He, Zhang, Ren, Sun 2015, "Deep residual learning for image recognition", §3.3, option A.
/// </remarks>
/// <param name="OutChannels">OC, at least C.</param>
public sealed record IdentityShortcut(int OutChannels) : Layer
{
    /// <summary>Pixels of x for one of y.</summary>
    public Size Stride { get; init; } = 1;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        if (OutChannels < x.Channels)
            throw new ShapeException($"{name}: an identity shortcut cannot take channels away: it gets {x.Channels} and is to give {OutChannels}.");
        if (Stride.Height < 1 || Stride.Width < 1)
            throw new ShapeException($"{name}: a stride takes at least 1 pixel each way, got {Stride}.");
        return new Shape(OutChannels, (x.Height + Stride.Height - 1) / Stride.Height, (x.Width + Stride.Width - 1) / Stride.Width);
    }

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(new(inputs[0], Layout.Samples), new(OutputShape("", inputs), Layout.Samples), Stride);

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes(plan.Input, new(OutputShape("", plan.Inputs), Layout.Channels), Stride);

    private sealed unsafe class Passes(Extent x, Extent y, Size stride) : Operation
    {
        public override void Forward(in Frame f)
        {
            for (int unit = 0; unit < x.Units(in f); unit++)
            {
                float* to = f.Output + ((nint)unit * y.UnitFloats);
                new Span<float>(to, y.UnitFloats).Clear();
                Copy(f.Input + ((nint)unit * x.UnitFloats), to, gather: true);
            }
        }

        public override void Backward(in Frame f)
        {
            if (f.InputGradient == null)
                return;
            for (int unit = 0; unit < x.Units(in f); unit++)
            {
                float* to = f.InputGradient + ((nint)unit * x.UnitFloats);
                new Span<float>(to, x.UnitFloats).Clear();
                Copy(to, f.OutputGradient + ((nint)unit * y.UnitFloats), gather: false);
            }
        }

        /// <summary>Between the pixels of x that are taken and those of y, one way or the other.</summary>
        private void Copy(float* large, float* small, bool gather)
        {
            for (int plane = 0; plane < x.UnitPlanes; plane++)
            {
                for (int row = 0; row < y.Shape.Height; row++)
                {
                    for (int column = 0; column < y.Shape.Width; column++, small += Stripes.Count)
                    {
                        nint pixel = ((((nint)plane * x.Shape.Height) + (row * stride.Height)) * x.Shape.Width) + (column * stride.Width);
                        var a = new Span<float>(large + (pixel * Stripes.Count), Stripes.Count);
                        var b = new Span<float>(small, Stripes.Count);
                        if (gather)
                            a.CopyTo(b);
                        else
                            b.CopyTo(a);
                    }
                }
            }
        }
    }
}
