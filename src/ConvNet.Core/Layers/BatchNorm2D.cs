using ConvNet.Core.Initializers;
using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Normalisation;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Gives every channel mean 0 and deviation 1 over the micro-batch, then a learned scale and offset.</summary>
/// <remarks>
/// x <c>[N, C, H, W]</c> → y, same shape: y = γ·(x − mean) / √(variance + ε) + β, with mean and variance of each channel over the micro-batch's samples and pixels.
/// weight γ <c>[C]</c>, bias β <c>[C]</c>; running_mean and running_var <c>[C]</c> are what evaluation uses.
/// <para>
/// Statistics are those of one micro-batch ("ghost" batch normalisation, Hoffer, Hubara, Soudry 2017), so a micro-batch depends on no other and on no machine;
/// the running ones move once a step by the mean over its micro-batches, the variance over n − 1. A vector of features is a channel each.
/// Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate shift".
/// </para>
/// </remarks>
public sealed record BatchNorm2D : Layer
{
    /// <summary>ε, above 0: keeps a constant channel finite.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>The weight of the newest step in the running statistics, above 0, at most 1.</summary>
    public float Momentum { get; init; } = 0.1f;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs)
    {
        if (!(Epsilon > 0) || !float.IsFinite(Epsilon))
            throw new ShapeException($"{name}: epsilon is above 0, got {Epsilon}.");
        if (!(Momentum > 0 && Momentum <= 1))
            throw new ShapeException($"{name}: momentum is above 0 and at most 1, got {Momentum}.");
        return inputs[0];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSpec> Parameters(IReadOnlyList<Shape> inputs)
    {
        int channels = inputs[0].Channels;
        return [new("weight", [channels], channels, channels, Initializer.Ones), new("bias", [channels], channels, channels, Initializer.Zeros)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<StatisticSpec> Statistics(IReadOnlyList<Shape> inputs) =>
        [new("running_mean", [inputs[0].Channels], 0, Momentum), new("running_var", [inputs[0].Channels], 1, Momentum)];

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes<BatchNormStatistics, BatchNormApply, BatchNormBackward>(inputs[0], Epsilon, together: 1, rectify: false);

    /// <inheritdoc/>
    internal override Operation PlanOverChannels(in ChannelPlan plan) => new Passes<ChannelBatchNormStatistics, ChannelBatchNormApply, ChannelBatchNormBackward>(plan.Inputs[0], Epsilon, together: Stripes.Count, rectify: false);

    /// <summary>The passes; <c>together</c> is how many channels the forward kernels work on at a time.</summary>
    private sealed unsafe class Passes<TStatistics, TApply, TBackward>(Shape shape, float epsilon, int together, bool rectify) : Operation
        where TStatistics : struct, IKernel<BatchNormArguments>
        where TApply : struct, IKernel<BatchNormArguments>
        where TBackward : struct, IKernel<BatchNormArguments>
    {
        /// <summary>Mean and 1 / deviation, in lines of their own; filled up to whole vectors.</summary>
        private readonly int _line = (shape.Channels + Stripes.Count - 1) / Stripes.Count * Stripes.Count;

        public override bool BackwardReadsInput => true;

        public override bool CanRectify => true;

        public override Operation Rectified() => new Passes<TStatistics, TApply, TBackward>(shape, epsilon, together, rectify: true);

        public override int SavedLength(int blocks) => 2 * _line;

        public override void Forward(in Frame f)
        {
            float* variance = f.Statistics + shape.Channels, inverseDeviation = f.Saved + _line;
            if (!f.Pass.Trains)
            {
                new Span<float>(f.Saved, 2 * _line).Clear();
                new ReadOnlySpan<float>(f.Statistics, shape.Channels).CopyTo(new Span<float>(f.Saved, shape.Channels));
                for (int channel = 0; channel < shape.Channels; channel++)
                    inverseDeviation[channel] = 1 / MathF.Sqrt(variance[channel] + epsilon);
            }

            // A few channels at a time, from the first sum to the last number: they are then still in a cache.
            for (int first = 0; first < shape.Channels; first += together)
            {
                var arguments = new BatchNormArguments
                {
                    X = f.Input,
                    Y = f.Output,
                    Gamma = f.Parameters,
                    Beta = f.Parameters + shape.Channels,
                    Mean = f.Saved,
                    InverseDeviation = inverseDeviation,
                    Variance = variance,
                    Epsilon = epsilon,
                    Rectify = rectify,
                    Channels = shape.Channels,
                    FirstChannel = first,
                    EndChannel = Math.Min(first + together, shape.Channels),
                    Pixels = shape.Pixels,
                    Blocks = f.Blocks,
                    Samples = f.Pass.Samples,
                };
                if (f.Pass.Trains)
                    Widest.Run<TStatistics, BatchNormArguments>(arguments);
                Widest.Run<TApply, BatchNormArguments>(arguments);
            }

            if (f.Pass.Trains)
                new ReadOnlySpan<float>(f.Saved, shape.Channels).CopyTo(new Span<float>(f.Statistics, shape.Channels));
        }

        public override void Backward(in Frame f) => Widest.Run<TBackward, BatchNormArguments>(new BatchNormArguments
        {
            X = f.Input,
            Dy = f.OutputGradient,
            Dx = f.InputGradient,
            Gamma = f.Parameters,
            GammaGradient = f.ParameterGradients,
            BetaGradient = f.ParameterGradients + shape.Channels,
            Mean = f.Saved,
            InverseDeviation = f.Saved + _line,
            Channels = shape.Channels,
            Pixels = shape.Pixels,
            Blocks = f.Blocks,
            Samples = f.Pass.Samples,
        });
    }
}
