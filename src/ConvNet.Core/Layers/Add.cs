using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>y = a + b, two inputs of one shape: where a shortcut meets its branch. He, Zhang, Ren, Sun 2015, §3.2.</summary>
public sealed record Add : Layer
{
    /// <inheritdoc/>
    public override int LeastInputs => 2;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => inputs[0] == inputs[1]
        ? inputs[0]
        : throw new ShapeException($"{name}: adds two inputs of one shape, got {inputs[0]} and {inputs[1]}.");

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(inputs[0].Elements);

    private sealed unsafe class Passes(int features) : Operation
    {
        public override void Forward(in Frame f) => Widest.Run<AddKernel, ElementwiseArguments>(
            new ElementwiseArguments((float*)f.Inputs[0], (float*)f.Inputs[1], f.Output, f.Blocks * features * Stripes.Count));

        public override void Backward(in Frame f)
        {
            int length = f.Blocks * features * Stripes.Count;
            foreach (nint gradient in f.InputGradients)
            {
                if (gradient != 0)
                    new Span<float>(f.OutputGradient, length).CopyTo(new Span<float>((float*)gradient, length));
            }
        }
    }
}
