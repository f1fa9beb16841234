using ConvNet.Core.Kernels.Losses;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Turns the channels of each pixel, or the features of a vector, into probabilities: y[c] = e^x[c] / Σ e^x.</summary>
/// <remarks>
/// x, y <c>[N, C, H, W]</c>; sums run over C. The greatest x is taken off first, so nothing overflows.
/// The loss of a network has a softmax of its own: one as the last layer would be taken twice.
/// </remarks>
public sealed record Softmax : Layer
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => inputs[0];

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(inputs[0]);

    private sealed unsafe class Passes(Shape x) : Operation
    {
        public override bool BackwardReadsOutput => true;

        public override bool WorksInPlace => true;

        public override void Forward(in Frame f) => Widest.Run<SoftmaxForward, SoftmaxArguments>(
            new SoftmaxArguments(f.Input, f.Output, null, x.Channels, f.Blocks, x.Pixels));

        public override void Backward(in Frame f)
        {
            if (f.InputGradient == null)
                return;
            Widest.Run<SoftmaxBackward, SoftmaxGradientArguments>(
                new SoftmaxGradientArguments(f.Output, f.OutputGradient, f.InputGradient, x.Channels, f.Blocks, x.Pixels));
        }
    }
}
