using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>A function of each number alone, whose slope can be told from its result.</summary>
public abstract record Activation : Layer
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => inputs[0];

    private protected sealed unsafe class Passes<TForward, TBackward>(Shape x) : Operation
        where TForward : struct, IKernel<ElementwiseArguments>
        where TBackward : struct, IKernel<ElementwiseArguments>
    {
        public override bool BackwardReadsOutput => true;

        public override bool WorksInPlace => true;

        public override void Forward(in Frame f) => Widest.Run<TForward, ElementwiseArguments>(
            new ElementwiseArguments(f.Input, null, f.Output, f.Blocks * x.Elements * Stripes.Count));

        public override void Backward(in Frame f)
        {
            if (f.InputGradient == null)
                return;
            Widest.Run<TBackward, ElementwiseArguments>(
                new ElementwiseArguments(f.Output, f.OutputGradient, f.InputGradient, f.Blocks * x.Elements * Stripes.Count));
        }
    }
}

/// <summary>y = max(0, x). The slope at 0 is taken as 0. Nair and Hinton 2010.</summary>
public sealed record Relu : Activation
{
    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<ReluForward, ReluBackward>(inputs[0]);
}

/// <summary>y = tanh x.</summary>
public sealed record Tanh : Activation
{
    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<TanhForward, TanhBackward>(inputs[0]);
}

/// <summary>y = 1 / (1 + e⁻ˣ).</summary>
public sealed record Sigmoid : Activation
{
    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<SigmoidForward, SigmoidBackward>(inputs[0]);
}
