using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Normalisation;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Divides each number by what its neighbours in the next channels have: y = x / (k + α / n · Σ x²)^β, the sum over n channels around.</summary>
/// <remarks>
/// x <c>[N, C, H, W]</c> → y, same shape. At the first and last channels the window is cut off. α is divided by n, as PyTorch and Caffe have it;
/// the paper's α = 10⁻⁴ is for the bare sum, n = 5 times as much here.
/// Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural networks", §3.3.
/// </remarks>
/// <param name="Size">n, at least 1.</param>
public sealed record LocalResponseNormalisation(int Size = 5) : Layer
{
    /// <summary>α, above 0.</summary>
    public float Alpha { get; init; } = 1e-4f;

    /// <summary>β, above 0.</summary>
    public float Beta { get; init; } = 0.75f;

    /// <summary>k, above 0.</summary>
    public float K { get; init; } = 1;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs)
    {
        if (Size < 1)
            throw new ShapeException($"{name}: a window takes at least 1 channel, got {Size}.");
        foreach ((string what, float value) in new[] { ("alpha", Alpha), ("beta", Beta), ("k", K) })
        {
            if (!(value > 0) || !float.IsFinite(value))
                throw new ShapeException($"{name}: {what} is above 0, got {value}.");
        }

        return inputs[0];
    }

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(this, inputs[0]);

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new ChannelPasses(this, plan.Input);

    private unsafe LocalResponseArguments Arguments(in Frame f, Shape x, nint start) => new()
    {
        X = f.Input + start,
        Y = f.Output + start,
        Dy = f.OutputGradient + start,
        Dx = f.InputGradients.IsEmpty ? null : f.InputGradient + start,
        Scratch = f.Scratch,
        Channels = x.Channels,
        Pixels = x.Pixels,
        Size = Size,
        Share = Alpha / Size,
        Beta = Beta,
        K = K,
    };

    private sealed unsafe class Passes(LocalResponseNormalisation layer, Shape x) : Operation
    {
        public override bool BackwardReadsInput => true;

        public override int ScratchLength(int blocks) => LocalResponseArguments.ScratchLength(x.Channels);

        public override void Forward(in Frame f)
        {
            for (int block = 0; block < f.Blocks; block++)
                Widest.Run<LocalResponseForward, LocalResponseArguments>(layer.Arguments(in f, x, (nint)block * x.Elements * Stripes.Count));
        }

        public override void Backward(in Frame f)
        {
            if (f.InputGradient == null)
                return;
            for (int block = 0; block < f.Blocks; block++)
                Widest.Run<LocalResponseBackward, LocalResponseArguments>(layer.Arguments(in f, x, (nint)block * x.Elements * Stripes.Count));
        }
    }

    /// <summary>Over channel lanes.</summary>
    private sealed unsafe class ChannelPasses(LocalResponseNormalisation layer, Extent x) : Operation
    {
        public override bool BackwardReadsInput => true;

        public override int ScratchLength(int blocks) => ChannelLocalResponse.ScratchLength(x.Shape.Channels, layer.Size);

        public override void Forward(in Frame f)
        {
            for (int sample = 0; sample < f.Pass.Samples; sample++)
                Widest.Run<ChannelLocalResponseForward, LocalResponseArguments>(layer.Arguments(in f, x.Shape, sample * (nint)x.UnitFloats));
        }

        public override void Backward(in Frame f)
        {
            if (f.InputGradient == null)
                return;
            for (int sample = 0; sample < f.Pass.Samples; sample++)
                Widest.Run<ChannelLocalResponseBackward, LocalResponseArguments>(layer.Arguments(in f, x.Shape, sample * (nint)x.UnitFloats));
        }
    }
}
