using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.FullyConnected;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Memory;
using ConvNet.Core.Randomness;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Benchmarks;

/// <summary>Buffers full of made-up numbers.</summary>
internal static class Made
{
    public static AlignedBuffer Up(int length)
    {
        var buffer = new AlignedBuffer(length);
        var random = new Philox(1, Purpose.Test);
        for (int i = 0; i < length; i++)
            buffer.Span[i] = random.Uniform(0, (ulong)i) - 0.5f;
        return buffer;
    }
}

/// <summary>A square product of one size, with its operands.</summary>
internal sealed unsafe class GemmWork(int m, int n, int k) : IDisposable
{
    private readonly AlignedBuffer _a = Made.Up(m * k), _b = Made.Up(k * n), _c = new(m * n), _scratch = new(Gemm.ScratchLength);

    public double Operations => 2.0 * m * n * k;

    public void Run() => Gemm.Multiply(
        m, n, k, new Matrix(_a.Pointer, k, 1), new Matrix(_b.Pointer, n, 1), new Matrix(_c.Pointer, n, 1), accumulate: false, _scratch.Pointer);

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        _c.Dispose();
        _scratch.Dispose();
    }
}

/// <summary>A convolution with buffers for its three passes over some blocks of 16 samples.</summary>
internal sealed unsafe class ConvolutionWork : IDisposable
{
    private readonly ConvolutionGeometry _g;
    private readonly int _blocks;
    private readonly Correlation _forward, _backward;
    private readonly WeightGradient _weightGradient;
    private readonly AlignedBuffer _x, _y, _dx, _w, _dw, _bias, _packed, _crosswise, _scratch;

    public ConvolutionWork(ConvolutionGeometry g, int blocks)
    {
        (_g, _blocks) = (g, blocks);
        (_forward, _backward, _weightGradient) = (Correlation.Forward(g), Correlation.InputGradient(g), new WeightGradient(g));
        _x = Made.Up(blocks * g.Input.Elements * Stripes.Count);
        _y = Made.Up(blocks * g.Output.Elements * Stripes.Count);
        _dx = new AlignedBuffer(_x.Length);
        (_w, _dw, _bias) = (Made.Up(g.Weights), new AlignedBuffer(g.Weights), Made.Up(g.OutChannels));
        (_packed, _crosswise) = (new AlignedBuffer(_forward.PackedLength), new AlignedBuffer(_backward.PackedLength));
        _scratch = new AlignedBuffer(WeightGradient.ScratchLength);
        Pack();
    }

    public static ConvolutionGeometry LeNet1 => new(new Shape(1, 28, 28), 6, new Window(5, Before: 2, After: 2), new Window(5, Before: 2, After: 2), 1);

    public static ConvolutionGeometry LeNet2 => new(new Shape(6, 14, 14), 16, new Window(5), new Window(5), 1);

    public static ConvolutionGeometry AlexNet1 => new(new Shape(3, 224, 224), 64, new Window(11, 4, 2, 2), new Window(11, 4, 2, 2), 1);

    /// <summary>3×3 with as many channels going in as out, image size kept: most of ResNet and VGG.</summary>
    public static ConvolutionGeometry Square(int channels, int size) =>
        new(new Shape(channels, size, size), channels, new Window(3, Before: 1, After: 1), new Window(3, Before: 1, After: 1), 1);

    public static ConvolutionGeometry Pointwise(int channels, int size) => new(new Shape(channels, size, size), channels, new Window(1), new Window(1), 1);

    /// <summary>Of one pass, padding not counted: what is multiplied by zeros is not work.</summary>
    public double Operations
    {
        get
        {
            double rows = AxisPlan.Forward(_g.Rows, _g.Input.Height).Sum(r => (double)r.Count * r.Taps.Length);
            double columns = AxisPlan.Forward(_g.Columns, _g.Input.Width).Sum(r => (double)r.Count * r.Taps.Length);
            return 2 * rows * columns * _g.OutChannels * _g.GroupInputs * _blocks * Stripes.Count;
        }
    }

    public void Pack()
    {
        _forward.Pack(_w.Pointer, _packed.Pointer);
        _backward.Pack(_w.Pointer, _crosswise.Pointer);
    }

    public void Forward()
    {
        for (int block = 0; block < _blocks; block++)
            _forward.Run(_packed.Pointer, _x.Pointer + (block * _x.Length / _blocks), _bias.Pointer, _y.Pointer + (block * _y.Length / _blocks), rectify: true);
    }

    public void InputGradient()
    {
        for (int block = 0; block < _blocks; block++)
            _backward.Run(_crosswise.Pointer, _y.Pointer + (block * _y.Length / _blocks), null, _dx.Pointer + (block * _dx.Length / _blocks), rectify: false);
    }

    public void WeightGradientPass() => _weightGradient.Run(_x.Pointer, _y.Pointer, _dw.Pointer, _blocks, _scratch.Pointer);

    public void Dispose()
    {
        foreach (AlignedBuffer buffer in (AlignedBuffer[])[_x, _y, _dx, _w, _dw, _bias, _packed, _crosswise, _scratch])
            buffer.Dispose();
    }
}

/// <summary>A fully connected layer with buffers for its three passes.</summary>
internal sealed unsafe class FullyConnectedWork(int inputs, int outputs, int samples) : IDisposable
{
    private readonly int _blocks = (samples + Stripes.Count - 1) / Stripes.Count;
    private readonly AlignedBuffer _x = Made.Up((samples + Stripes.Count - 1) / Stripes.Count * inputs * Stripes.Count), _dy = Made.Up((samples + Stripes.Count - 1) / Stripes.Count * outputs * Stripes.Count);
    private readonly AlignedBuffer _w = new(inputs * outputs), _dw = new(inputs * outputs);
    private readonly AlignedBuffer _scratch = new(FullyConnectedKernels.WeightGradientScratch(inputs, (samples + Stripes.Count - 1) / Stripes.Count));

    public double Operations => 2.0 * inputs * outputs * samples;

    public void Forward() => FullyConnectedKernels.Forward(_x.Pointer, _w.Pointer, null, _dy.Pointer, inputs, outputs, _blocks, rectify: false);

    public void InputGradient() => FullyConnectedKernels.InputGradient(_dy.Pointer, _w.Pointer, _x.Pointer, inputs, outputs, _blocks);

    public void WeightGradient() => FullyConnectedKernels.WeightGradient(_x.Pointer, _dy.Pointer, _dw.Pointer, inputs, outputs, samples, _scratch.Pointer);

    public void Dispose()
    {
        foreach (AlignedBuffer buffer in (AlignedBuffer[])[_x, _dy, _w, _dw, _scratch])
            buffer.Dispose();
    }
}
