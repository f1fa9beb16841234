using ConvNet.Core.Initializers;
using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Kernels.Winograd;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Slides a small learned window over each image and sums what it sees.</summary>
/// <remarks>
/// x <c>[N, C, H, W]</c> → y <c>[N, OC, OH, OW]</c>, with OH = ⌊(H + padding − dilation·(KH − 1) − 1) / stride⌋ + 1 and OW alike.
/// weight <c>[OC, C/groups, KH, KW]</c>, bias <c>[OC]</c>. The window is not flipped (cross-correlation); padding is zeros.
/// LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", §II.
/// </remarks>
/// <param name="OutChannels">OC.</param>
/// <param name="Kernel">KH and KW.</param>
public sealed record Conv2D(int OutChannels, Size Kernel) : Layer
{
    /// <summary>Pixels from one place of the window to the next.</summary>
    public Size Stride { get; init; } = 1;

    /// <summary>Zeros around the image.</summary>
    public Padding Padding { get; init; } = Padding.Valid;

    /// <summary>Pixels from one tap of the window to the next.</summary>
    public Size Dilation { get; init; } = 1;

    /// <summary>Independent convolutions side by side; divides C and OC. C groups are a depthwise convolution.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a learned number is added to each output channel.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>How the weights are drawn; biases start at 0.</summary>
    public Initializer Initializer { get; init; } = Initializer.HeUniform;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        if (OutChannels < 1 || Groups < 1)
            throw new ShapeException($"{name}: takes at least 1 output channel and 1 group, got {OutChannels} and {Groups}.");
        if (x.Channels % Groups != 0 || OutChannels % Groups != 0)
            throw new ShapeException($"{name}: {Groups} groups do not divide {x.Channels} input and {OutChannels} output channels.");
        Padding.CheckWindow(name, x, Kernel, Stride, Dilation);
        return Geometry(x).Output;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSpec> Parameters(IReadOnlyList<Shape> inputs)
    {
        int groupInputs = inputs[0].Channels / Groups, taps = Kernel.Height * Kernel.Width;
        int fanIn = groupInputs * taps, fanOut = OutChannels / Groups * taps;
        ParameterSpec weight = new("weight", [OutChannels, groupInputs, Kernel.Height, Kernel.Width], fanIn, fanOut, Initializer);
        return Bias ? [weight, new("bias", [OutChannels], fanIn, fanOut, Initializer.Zeros)] : [weight];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(IReadOnlyList<Shape> inputs)
    {
        ConvolutionGeometry g = Geometry(inputs[0]);
        return (long)g.Output.Elements * g.GroupInputs * g.Taps;
    }

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(Geometry(inputs[0]), Bias, rectify: false);

    /// <inheritdoc/>
    internal override Operation? PlanOverChannels(in ChannelPlan plan)
    {
        if (Groups != 1)
            return null;
        ConvolutionGeometry geometry = plan.OfPixels ? Padded(plan.Inputs[0]) : Geometry(plan.Inputs[0]);
        if (!plan.OfPixels && WinogradTiling.Suits(geometry))
            return new WinogradPasses(geometry, new WinogradConvolution(geometry, plan.Samples), Bias, rectify: false);
        return plan.OfPixels && (Dilation.Width != 1 || geometry.Input.Channels > SumBlocks.Channels(geometry.Taps))
            ? null
            : new ChannelPasses(geometry, Bias, rectify: false, plan.OfPixels);
    }

    /// <summary>Whether the passes over channel lanes take fewer multiplications than the definition says.</summary>
    internal bool SavesMultiplications(Shape x) => WinogradTiling.Suits(Geometry(x));

    /// <summary>The padding around a network's input that this convolution reads: the padded shape, rows above and columns on the left.</summary>
    internal (Shape Padded, int Top, int Left) PaddingAround(Shape x)
    {
        (Window rows, Window columns) = Padding.Windows(x, Kernel, Stride, Dilation);
        return (new Shape(x.Channels, x.Height + rows.Before + rows.After, x.Width + columns.Before + columns.After), rows.Before, columns.Before);
    }

    /// <summary>The convolution over an input that has its padding around it.</summary>
    private ConvolutionGeometry Padded(Shape padded) => new(
        padded, OutChannels, new Window(Kernel.Height, Stride.Height, Dilation: Dilation.Height), new Window(Kernel.Width, Stride.Width, Dilation: Dilation.Width), Groups);

    private ConvolutionGeometry Geometry(Shape x)
    {
        (Window rows, Window columns) = Padding.Windows(x, Kernel, Stride, Dilation);
        return new ConvolutionGeometry(x, OutChannels, rows, columns, Groups);
    }

    private sealed unsafe class Passes(ConvolutionGeometry geometry, bool bias, bool rectify) : Operation
    {
        private readonly Correlation _forward = Correlation.Forward(geometry);
        private readonly Correlation _inputGradient = Correlation.InputGradient(geometry);
        private readonly WeightGradient _weightGradient = new(geometry);

        public override bool BackwardReadsInput => true;

        public override bool CanRectify => true;

        public override Operation Rectified() => new Passes(geometry, bias, rectify: true);

        public override int ScratchLength(int blocks) =>
            Math.Max(WeightGradient.ScratchLength, Math.Max(_forward.PackedLength, _inputGradient.PackedLength));

        public override void Forward(in Frame f)
        {
            nint x = (nint)geometry.Input.Elements * Stripes.Count, y = (nint)geometry.Output.Elements * Stripes.Count;
            float* biases = bias ? f.Parameters + geometry.Weights : null;
            _forward.Pack(f.Parameters, f.Scratch);
            for (int block = 0; block < f.Blocks; block++)
                _forward.Run(f.Scratch, f.Input + (block * x), biases, f.Output + (block * y), rectify);
        }

        public override void Backward(in Frame f)
        {
            _weightGradient.Run(f.Input, f.OutputGradient, f.ParameterGradients, f.Blocks, f.Scratch);
            if (bias)
            {
                Widest.Run<ChannelSums, ChannelSumArguments>(new ChannelSumArguments(
                    f.OutputGradient, f.ParameterGradients + geometry.Weights, geometry.OutChannels, geometry.Output.Pixels, f.Blocks));
            }

            if (f.InputGradient == null)
                return;
            nint x = (nint)geometry.Input.Elements * Stripes.Count, y = (nint)geometry.Output.Elements * Stripes.Count;
            _inputGradient.Pack(f.Parameters, f.Scratch);
            for (int block = 0; block < f.Blocks; block++)
                _inputGradient.Run(f.Scratch, f.OutputGradient + (block * y), null, f.InputGradient + (block * x), rectify: false);
        }
    }

    /// <summary>Over channel lanes.</summary>
    private sealed unsafe class ChannelPasses(ConvolutionGeometry geometry, bool bias, bool rectify, bool ofPixels) : Operation
    {
        private readonly ChannelCorrelation _forward = ofPixels ? ChannelCorrelation.OfPixels(geometry) : ChannelCorrelation.Forward(geometry);
        private readonly ChannelCorrelation? _inputGradient = ofPixels ? null : ChannelCorrelation.InputGradient(geometry);
        private readonly ChannelWeightGradient _weightGradient = new(geometry, ofPixels);

        public override bool BackwardReadsInput => true;

        public override bool CanRectify => true;

        public override Operation Rectified() => new ChannelPasses(geometry, bias, rectify: true, ofPixels);

        public override int ScratchLength(int blocks) =>
            Math.Max(_weightGradient.ScratchLength, Math.Max(_forward.PackedLength, _inputGradient?.PackedLength ?? 0));

        public override void Forward(in Frame f)
        {
            _forward.Pack(f.Parameters, f.Scratch);
            _forward.Run(f.Pass.Samples, f.Scratch, f.Input, bias ? f.Parameters + geometry.Weights : null, f.Output, rectify);
        }

        public override void Backward(in Frame f)
        {
            _weightGradient.Run(f.Pass.Samples, f.Input, f.OutputGradient, f.ParameterGradients, f.Scratch);
            if (bias)
                ChannelBiases(in f, geometry);

            if (f.InputGradient == null)
                return;
            _inputGradient!.Pack(f.Parameters, f.Scratch);
            _inputGradient.Run(f.Pass.Samples, f.Scratch, f.OutputGradient, null, f.InputGradient, rectify: false);
        }
    }

    /// <summary>Over channel lanes with fewer multiplications.</summary>
    private sealed unsafe class WinogradPasses(ConvolutionGeometry geometry, WinogradConvolution convolution, bool bias, bool rectify) : Operation
    {
        public override bool BackwardReadsInput => true;

        public override bool CanRectify => true;

        public override Operation Rectified() => new WinogradPasses(geometry, convolution, bias, rectify: true);

        public override int ScratchLength(int blocks) => convolution.ScratchLength;

        public override void Forward(in Frame f) => convolution.Forward(
            f.Pass.Samples, f.Parameters, f.Input, bias ? f.Parameters + geometry.Weights : null, f.Output, rectify, f.Scratch);

        public override void Backward(in Frame f)
        {
            convolution.WeightGradient(f.Pass.Samples, f.Input, f.OutputGradient, f.ParameterGradients, f.Scratch);
            if (bias)
                ChannelBiases(in f, geometry);
            if (f.InputGradient != null)
                convolution.InputGradient(f.Pass.Samples, f.Parameters, f.OutputGradient, f.InputGradient, f.Scratch);
        }
    }

    private static unsafe void ChannelBiases(in Frame f, ConvolutionGeometry geometry) => Widest.Run<ChannelBiasGradient, ChannelBiasArguments>(new ChannelBiasArguments(
        f.OutputGradient, f.ParameterGradients + geometry.Weights, geometry.OutChannels, geometry.Output.Pixels, f.Pass.Samples));
}
