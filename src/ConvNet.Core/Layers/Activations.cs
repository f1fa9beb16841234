using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>A function of each number alone, whose slope can be told from its result.</summary>
public abstract record Activation : Layer
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => inputs[0];

    private protected sealed unsafe class Passes<TForward, TBackward>(Extent x, float constant = 0) : Operation
        where TForward : struct, IKernel<ElementwiseArguments>
        where TBackward : struct, IKernel<ElementwiseArguments>
    {
        public override bool BackwardReadsOutput => true;

        public override bool WorksInPlace => true;

        public override void Forward(in Frame f) => Widest.Run<TForward, ElementwiseArguments>(
            new ElementwiseArguments(f.Input, null, f.Output, x.Floats(in f), constant));

        public override void Backward(in Frame f)
        {
            if (f.InputGradient == null)
                return;
            Widest.Run<TBackward, ElementwiseArguments>(
                new ElementwiseArguments(f.Output, f.OutputGradient, f.InputGradient, x.Floats(in f), constant));
        }
    }
}

/// <summary>y = max(0, x). The slope at 0 is taken as 0. Nair and Hinton 2010.</summary>
public sealed record Relu : Activation
{
    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<ReluForward, ReluBackward>(new(inputs[0], Layout.Samples));

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes<ReluForward, ReluBackward>(plan.Input);
}

/// <summary>y = tanh x.</summary>
public sealed record Tanh : Activation
{
    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<TanhForward, TanhBackward>(new(inputs[0], Layout.Samples));

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes<TanhForward, TanhBackward>(plan.Input);
}

/// <summary>y = 1 / (1 + e⁻ˣ).</summary>
public sealed record Sigmoid : Activation
{
    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<SigmoidForward, SigmoidBackward>(new(inputs[0], Layout.Samples));

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes<SigmoidForward, SigmoidBackward>(plan.Input);
}

/// <summary>y = x for x &gt; 0, else slope·x. Maas, Hannun, Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".</summary>
/// <param name="Slope">Above 0; 0.01 is usual.</param>
public sealed record LeakyRelu(float Slope = 0.01f) : Activation
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => Slope > 0 && float.IsFinite(Slope)
        ? inputs[0]
        : throw new ShapeException($"{name}: the slope is above 0, got {Slope}.");

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<LeakyReluForward, LeakyReluBackward>(new(inputs[0], Layout.Samples), Slope);

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes<LeakyReluForward, LeakyReluBackward>(plan.Input, Slope);
}

/// <summary>y = x for x &gt; 0, else α·(eˣ − 1). Clevert, Unterthiner, Hochreiter 2016, "Fast and accurate deep network learning by exponential linear units".</summary>
/// <param name="Alpha">α, above 0.</param>
public sealed record Elu(float Alpha = 1) : Activation
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => Alpha > 0 && float.IsFinite(Alpha)
        ? inputs[0]
        : throw new ShapeException($"{name}: alpha is above 0, got {Alpha}.");

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<EluForward, EluBackward>(new(inputs[0], Layout.Samples), Alpha);

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes<EluForward, EluBackward>(plan.Input, Alpha);
}
