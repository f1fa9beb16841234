using ConvNet.Core.Initializers;
using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Kernels.FullyConnected;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>y = W·x + b: every output sums over every input.</summary>
/// <remarks>
/// x <c>[N, I]</c> → y <c>[N, O]</c>; an image <c>[C, H, W]</c> is read as C·H·W features in that order.
/// weight <c>[O, I]</c>, bias <c>[O]</c>.
/// </remarks>
/// <param name="Outputs">O.</param>
public sealed record FullyConnected(int Outputs) : Layer
{
    /// <summary>Whether a learned number is added to each output.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>How the weights are drawn; biases start at 0.</summary>
    public Initializer Initializer { get; init; } = Initializer.HeUniform;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) =>
        Outputs >= 1 ? Shape.Vector(Outputs) : throw new ShapeException($"{name}: takes at least 1 output, got {Outputs}.");

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSpec> Parameters(IReadOnlyList<Shape> inputs)
    {
        int features = inputs[0].Elements;
        ParameterSpec weight = new("weight", [Outputs, features], features, Outputs, Initializer);
        return Bias ? [weight, new("bias", [Outputs], features, Outputs, Initializer.Zeros)] : [weight];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(IReadOnlyList<Shape> inputs) => (long)Outputs * inputs[0].Elements;

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(inputs[0].Elements, Outputs, Bias, rectify: false);

    private sealed unsafe class Passes(int inputs, int outputs, bool bias, bool rectify) : Operation
    {
        public override bool BackwardReadsInput => true;

        public override bool CanRectify => true;

        public override Operation Rectified() => new Passes(inputs, outputs, bias, rectify: true);

        public override int ScratchLength(int blocks) => FullyConnectedKernels.WeightGradientScratch(inputs, blocks);

        public override void Forward(in Frame f) => FullyConnectedKernels.Forward(
            f.Input, f.Parameters, bias ? f.Parameters + ((nint)outputs * inputs) : null, f.Output, inputs, outputs, f.Blocks, rectify);

        public override void Backward(in Frame f)
        {
            FullyConnectedKernels.WeightGradient(f.Input, f.OutputGradient, f.ParameterGradients, inputs, outputs, f.Pass.Samples, f.Scratch);
            if (bias)
            {
                Widest.Run<ChannelSums, ChannelSumArguments>(
                    new ChannelSumArguments(f.OutputGradient, f.ParameterGradients + ((nint)outputs * inputs), outputs, pixels: 1, f.Blocks));
            }

            if (f.InputGradient != null)
                FullyConnectedKernels.InputGradient(f.OutputGradient, f.Parameters, f.InputGradient, inputs, outputs, f.Blocks);
        }
    }
}
