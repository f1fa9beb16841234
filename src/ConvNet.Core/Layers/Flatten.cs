using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Reads an image <c>[C, H, W]</c> as a vector of C·H·W features, in that order. Moves nothing where it can share memory.</summary>
public sealed record Flatten : Layer
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => Shape.Vector(inputs[0].Elements);

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(inputs[0].Elements);

    /// <inheritdoc/>
    internal override bool LeavesChannels => true;

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new LeavingChannels(null, plan.Inputs[0], plan.Samples);

    private sealed unsafe class Passes(int features) : Operation
    {
        public override bool IsView => true;

        public override void Forward(in Frame f) => Copy(f.Input, f.Output, f.Blocks);

        public override void Backward(in Frame f) => Copy(f.OutputGradient, f.InputGradient, f.Blocks);

        private void Copy(float* from, float* to, int blocks)
        {
            int length = features * blocks * Stripes.Count;
            if (from != to && to != null)
                new Span<float>(from, length).CopyTo(new Span<float>(to, length));
        }
    }
}
