using ConvNet.Core.Initializers;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>The way back through a convolution: every pixel puts a small learned image, times itself, where a window would have looked at. Makes images larger again.</summary>
/// <remarks>
/// x <c>[N, C, H, W]</c> → y <c>[N, OC, OH, OW]</c>, with OH = (H − 1)·stride − padding + dilation·(KH − 1) + 1 + output padding, and OW alike; with
/// padding <c>same</c> OH = H·stride. weight <c>[C, OC/groups, KH, KW]</c>, bias <c>[OC]</c>.
/// <para>
/// It is the convolution from <c>[OC, OH, OW]</c> to <c>[C, H, W]</c> with forward pass and gradient by input exchanged, and of that shape are its
/// weights. Several sizes lead to one under a convolution with a stride; output padding, below the stride, chooses among them. It adds places at the
/// bottom and right that are computed, not zeros.
/// Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", §4; Zeiler, Krishnan, Taylor, Fergus 2010, "Deconvolutional networks".
/// </para>
/// </remarks>
/// <param name="OutChannels">OC.</param>
/// <param name="Kernel">KH and KW.</param>
public sealed record TransposedConv2D(int OutChannels, Size Kernel) : Layer
{
    /// <summary>Pixels of y for one of x.</summary>
    public Size Stride { get; init; } = 1;

    /// <summary>Pixels that are taken off y around it: the padding of the convolution that this is the way back of.</summary>
    public Padding Padding { get; init; } = Padding.Valid;

    /// <summary>Rows and columns more at the bottom and at the right of y, fewer than the stride.</summary>
    public Size OutputPadding { get; init; } = 0;

    /// <summary>Pixels from one tap of the window to the next.</summary>
    public Size Dilation { get; init; } = 1;

    /// <summary>Independent convolutions side by side; divides C and OC.</summary>
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
        Padding.CheckSizes(name, Kernel, Stride, Dilation);
        if (OutputPadding.Height < 0 || OutputPadding.Width < 0 || OutputPadding.Height >= Stride.Height || OutputPadding.Width >= Stride.Width)
            throw new ShapeException($"{name}: output padding is at least 0 and below the stride of {Stride}, got {OutputPadding}.");
        if (Padding.IsSame && OutputPadding != 0)
            throw new ShapeException($"{name}: padding same gives the size by the stride; leave output padding {OutputPadding} out.");
        Shape y = Output(x);
        return y.Height >= 1 && y.Width >= 1
            ? y
            : throw new ShapeException($"{name}: padding {Padding} takes off all of what a {Kernel.Height}×{Kernel.Width} window makes of an input of {x}.");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSpec> Parameters(IReadOnlyList<Shape> inputs)
    {
        int channels = inputs[0].Channels, groupOutputs = OutChannels / Groups, taps = Kernel.Height * Kernel.Width;
        // With a stride an output pixel is under only some of the taps: at most so many.
        int seen = ((Kernel.Height + Stride.Height - 1) / Stride.Height) * ((Kernel.Width + Stride.Width - 1) / Stride.Width);
        int fanIn = channels / Groups * seen, fanOut = groupOutputs * taps;
        ParameterSpec weight = new("weight", [channels, groupOutputs, Kernel.Height, Kernel.Width], fanIn, fanOut, Initializer);
        return Bias ? [weight, new("bias", [OutChannels], fanIn, fanOut, Initializer.Zeros)] : [weight];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(IReadOnlyList<Shape> inputs) =>
        (long)inputs[0].Elements * (OutChannels / Groups) * Kernel.Height * Kernel.Width;

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs)
    {
        Shape y = Output(inputs[0]);
        (Window rows, Window columns) = Padding.Windows(y, Kernel, Stride, Dilation);
        return new Passes(new ConvolutionGeometry(y, inputs[0].Channels, rows, columns, Groups), Bias, rectify: false);
    }

    private Shape Output(Shape x)
    {
        if (Padding.IsSame)
            return new Shape(OutChannels, checked(x.Height * Stride.Height), checked(x.Width * Stride.Width));
        (Window rows, Window columns) = Padding.Windows(x, Kernel, Stride, Dilation);
        return new Shape(OutChannels, rows.SlideBack(x.Height) + OutputPadding.Height, columns.SlideBack(x.Width) + OutputPadding.Width);
    }

    /// <param name="geometry">Of the convolution: its input is our output, its output our input.</param>
    /// <param name="bias">Whether there is one.</param>
    /// <param name="rectify">Whether negative results become 0.</param>
    private sealed unsafe class Passes(ConvolutionGeometry geometry, bool bias, bool rectify) : Operation
    {
        private readonly Correlation _forward = Correlation.InputGradient(geometry);
        private readonly Correlation _inputGradient = Correlation.Forward(geometry);
        private readonly WeightGradient _weightGradient = new(geometry);

        public override bool BackwardReadsInput => true;

        public override bool CanRectify => true;

        public override Operation Rectified() => new Passes(geometry, bias, rectify: true);

        public override int ScratchLength(int blocks) =>
            Math.Max(WeightGradient.ScratchLength, Math.Max(_forward.PackedLength, _inputGradient.PackedLength));

        public override void Forward(in Frame f)
        {
            nint x = (nint)geometry.Output.Elements * Stripes.Count, y = (nint)geometry.Input.Elements * Stripes.Count;
            float* biases = bias ? f.Parameters + geometry.Weights : null;
            _forward.Pack(f.Parameters, f.Scratch);
            for (int block = 0; block < f.Blocks; block++)
                _forward.Run(f.Scratch, f.Input + (block * x), biases, f.Output + (block * y), rectify);
        }

        public override void Backward(in Frame f)
        {
            // Lanes without a sample hold 0 in dy, the factor that the convolution calls x; so they count nothing here either.
            _weightGradient.Run(f.OutputGradient, f.Input, f.ParameterGradients, f.Blocks, f.Scratch);
            if (bias)
            {
                Widest.Run<ChannelSums, ChannelSumArguments>(new ChannelSumArguments(
                    f.OutputGradient, f.ParameterGradients + geometry.Weights, geometry.Input.Channels, geometry.Input.Pixels, f.Blocks));
            }

            if (f.InputGradient == null)
                return;
            nint x = (nint)geometry.Output.Elements * Stripes.Count, y = (nint)geometry.Input.Elements * Stripes.Count;
            _inputGradient.Pack(f.Parameters, f.Scratch);
            for (int block = 0; block < f.Blocks; block++)
                _inputGradient.Run(f.Scratch, f.OutputGradient + (block * y), null, f.InputGradient + (block * x), rectify: false);
        }
    }
}
