using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>y = x₁ + x₂ + …, inputs of one shape, added in their order: where a shortcut meets its branch. He, Zhang, Ren, Sun 2015, §3.2.</summary>
public sealed record Add : Layer
{
    /// <inheritdoc/>
    public override int LeastInputs => 2;

    /// <inheritdoc/>
    public override int MostInputs => Any;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => inputs.All(x => x == inputs[0])
        ? inputs[0]
        : throw new ShapeException($"{name}: adds inputs of one shape, got {string.Join(" and ", inputs)}.");

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(new(inputs[0], Layout.Samples));

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes(plan.Input);

    private sealed unsafe class Passes(Extent x) : Operation
    {
        public override void Forward(in Frame f)
        {
            int length = x.Floats(in f);
            float* sum = f.Input;
            for (int input = 1; input < f.Inputs.Length; input++, sum = f.Output)
                Widest.Run<AddKernel, ElementwiseArguments>(new ElementwiseArguments(sum, (float*)f.Inputs[input], f.Output, length));
        }

        public override void Backward(in Frame f)
        {
            int length = x.Floats(in f);
            foreach (nint gradient in f.InputGradients)
            {
                if (gradient != 0)
                    new Span<float>(f.OutputGradient, length).CopyTo(new Span<float>((float*)gradient, length));
            }
        }
    }
}
