using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>y = x·Φ(x), Φ the distribution function of the standard normal, by the error function and not by its tanh approximation.</summary>
/// <remarks>x <c>[N, C, H, W]</c> → y, same shape. The slope cannot be told from y, so x is kept. Hendrycks and Gimpel 2016, "Gaussian error linear units".</remarks>
public sealed record Gelu : Layer
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => inputs[0];

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(new(inputs[0], Layout.Samples));

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes(plan.Input);

    private sealed unsafe class Passes(Extent x) : Operation
    {
        public override bool BackwardReadsInput => true;

        public override void Forward(in Frame f) => Widest.Run<GeluForward, ElementwiseArguments>(
            new ElementwiseArguments(f.Input, null, f.Output, x.Floats(in f)));

        public override void Backward(in Frame f)
        {
            if (f.InputGradient != null)
                Widest.Run<GeluBackward, ElementwiseArguments>(new ElementwiseArguments(f.Input, f.OutputGradient, f.InputGradient, x.Floats(in f)));
        }
    }
}
