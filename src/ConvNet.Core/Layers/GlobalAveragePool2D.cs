using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>The mean of each channel: x <c>[N, C, H, W]</c> → y <c>[N, C]</c>. Lin, Chen, Yan 2014, "Network in network", §3.2.</summary>
public sealed record GlobalAveragePool2D : Layer
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => Shape.Vector(inputs[0].Channels);

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new AveragePool2D(new Size(inputs[0].Height, inputs[0].Width)).Plan(inputs);

    /// <inheritdoc/>
    internal override bool LeavesChannels => true;

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan)
    {
        Shape x = plan.Inputs[0];
        var mean = new AveragePool2D(new Size(x.Height, x.Width));
        return new LeavingChannels(mean.PlanOverChannels(plan)!, new Shape(x.Channels, 1, 1), plan.Samples);
    }
}
