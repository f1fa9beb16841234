using ConvNet.Core.Layers;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Layers;

/// <summary>Every layer's forward pass for one sample, written out in double precision: the formula and nothing else.</summary>
internal static class LayerReference
{
    public static double[] Forward(Layer layer, IReadOnlyList<Shape> shapes, IReadOnlyList<double[]> inputs, ReadOnlySpan<double> parameters)
    {
        double[] x = inputs[0];
        return layer switch
        {
            Conv2D conv => Convolution(conv, shapes[0], x, parameters),
            MaxPool2D { CeilMode: false } pool => Pooling(shapes[0], x, pool.Kernel, pool.Stride, pool.Padding, (seen, _) => seen.Max()),
            AveragePool2D { CeilMode: false } pool => Pooling(shapes[0], x, pool.Kernel, pool.Stride, pool.Padding,
                (seen, window) => seen.Sum() / (pool.CountPadding ? window : seen.Count)),
            FullyConnected full => Product(full, x, parameters),
            Relu => [.. x.Select(v => Math.Max(0, v))],
            Tanh => [.. x.Select(Math.Tanh)],
            Sigmoid => [.. x.Select(v => 1 / (1 + Math.Exp(-v)))],
            Flatten => x,
            _ => DoubleLayers.Forward(layer, [.. shapes], [.. inputs], parameters.ToArray(), samples: 1),
        };
    }

    /// <summary>ln Σ eᶻ − z[label].</summary>
    public static double CrossEntropy(double[] logits, int label)
    {
        double most = logits.Max();
        return Math.Log(logits.Sum(z => Math.Exp(z - most))) + most - logits[label];
    }

    private static double[] Convolution(Conv2D conv, Shape input, double[] x, ReadOnlySpan<double> parameters)
    {
        (int top, int height) = Axis(input.Height, conv.Kernel.Height, conv.Stride.Height, conv.Dilation.Height, conv.Padding.IsSame, conv.Padding.Top, conv.Padding.Bottom);
        (int left, int width) = Axis(input.Width, conv.Kernel.Width, conv.Stride.Width, conv.Dilation.Width, conv.Padding.IsSame, conv.Padding.Left, conv.Padding.Right);
        int kernelHeight = conv.Kernel.Height, kernelWidth = conv.Kernel.Width;
        int groupInputs = input.Channels / conv.Groups, groupOutputs = conv.OutChannels / conv.Groups;
        var y = new double[conv.OutChannels * height * width];
        for (int oc = 0, at = 0; oc < conv.OutChannels; oc++)
        {
            int firstChannel = oc / groupOutputs * groupInputs;
            for (int oh = 0; oh < height; oh++)
            {
                for (int ow = 0; ow < width; ow++, at++)
                {
                    double sum = conv.Bias ? parameters[(conv.OutChannels * groupInputs * kernelHeight * kernelWidth) + oc] : 0;
                    for (int c = 0; c < groupInputs; c++)
                    {
                        for (int kh = 0; kh < kernelHeight; kh++)
                        {
                            int row = (oh * conv.Stride.Height) - top + (kh * conv.Dilation.Height);
                            if (row < 0 || row >= input.Height)
                                continue;
                            for (int kw = 0; kw < kernelWidth; kw++)
                            {
                                int column = (ow * conv.Stride.Width) - left + (kw * conv.Dilation.Width);
                                if (column < 0 || column >= input.Width)
                                    continue;
                                double weight = parameters[(((((oc * groupInputs) + c) * kernelHeight) + kh) * kernelWidth) + kw];
                                sum += weight * x[((((firstChannel + c) * input.Height) + row) * input.Width) + column];
                            }
                        }
                    }

                    y[at] = sum;
                }
            }
        }

        return y;
    }

    private static double[] Pooling(Shape input, double[] x, Size kernel, Size stride, Padding padding, Func<List<double>, int, double> of)
    {
        (int top, int height) = Axis(input.Height, kernel.Height, stride.Height, 1, padding.IsSame, padding.Top, padding.Bottom);
        (int left, int width) = Axis(input.Width, kernel.Width, stride.Width, 1, padding.IsSame, padding.Left, padding.Right);
        var y = new List<double>();
        var seen = new List<double>();
        for (int c = 0; c < input.Channels; c++)
        {
            for (int oh = 0; oh < height; oh++)
            {
                for (int ow = 0; ow < width; ow++)
                {
                    seen.Clear();
                    for (int row = (oh * stride.Height) - top; row < (oh * stride.Height) - top + kernel.Height; row++)
                    {
                        for (int column = (ow * stride.Width) - left; column < (ow * stride.Width) - left + kernel.Width; column++)
                        {
                            if (row >= 0 && row < input.Height && column >= 0 && column < input.Width)
                                seen.Add(x[(((c * input.Height) + row) * input.Width) + column]);
                        }
                    }

                    y.Add(of(seen, kernel.Height * kernel.Width));
                }
            }
        }

        return [.. y];
    }

    private static double[] Product(FullyConnected layer, double[] x, ReadOnlySpan<double> parameters)
    {
        var y = new double[layer.Outputs];
        for (int o = 0; o < y.Length; o++)
        {
            double sum = layer.Bias ? parameters[(y.Length * x.Length) + o] : 0;
            for (int i = 0; i < x.Length; i++)
                sum += parameters[(o * x.Length) + i] * x[i];
            y[o] = sum;
        }

        return y;
    }

    /// <summary>The padding before the image, and the outputs, along one axis; "same" as TensorFlow defines it.</summary>
    private static (int Before, int Outputs) Axis(int size, int kernel, int stride, int dilation, bool same, int before, int after)
    {
        int extent = (dilation * (kernel - 1)) + 1;
        if (!same)
            return (before, ((size + before + after - extent) / stride) + 1);
        int outputs = (int)Math.Ceiling((double)size / stride);
        return (Math.Max(0, ((outputs - 1) * stride) + extent - size) / 2, outputs);
    }
}

/// <summary>Runs one layer of the engine on random numbers and holds its three results against <see cref="LayerReference"/>.</summary>
/// <remarks>
/// Outputs directly; gradients against central differences, in double precision, of Σ dy·y for random dy. Buffers hold NaN before they are
/// written, have guards on both sides, and lanes without a sample hold numbers that must not be seen.
/// </remarks>
internal static unsafe class LayerCheck
{
    private const double H = 1e-5;
    private const int MostInputsTried = 160, MostParametersTried = 96;

    public static void Run(Layer layer, Shape[] shapes, int samples, double tolerance = 1e-5)
    {
        var random = new Random(1998 + samples);
        Shape output = layer.OutputShape("layer", shapes);
        double[] parameters = Draw(random, layer.Parameters(shapes).Sum(p => p.Length));
        double[][][] x = [.. Enumerable.Range(0, samples).Select(_ => shapes.Select(s => Draw(random, s.Elements)).ToArray())];
        double[][] dy = [.. Enumerable.Range(0, samples).Select(_ => Draw(random, output.Elements))];

        Result engine = Compute(layer, shapes, parameters, x, dy);

        for (int s = 0; s < samples; s++)
            Near($"output of sample {s}", LayerReference.Forward(layer, shapes, x[s], parameters), engine.Output[s], tolerance);
        foreach (int s in new[] { 0, 15, 16, samples - 1 }.Where(s => s < samples).Distinct())
        {
            for (int input = 0; input < shapes.Length; input++)
            {
                double[] values = x[s][input];
                double[] slopes = Slopes(random, values, MostInputsTried, () => Functional(layer, shapes, x[s], parameters, dy[s]));
                Near($"gradient by input {input} of sample {s}", slopes, engine.InputGradients[input][s], tolerance);
            }
        }

        double[] parameterSlopes = Slopes(random, parameters, MostParametersTried,
            () => Enumerable.Range(0, samples).Sum(s => Functional(layer, shapes, x[s], parameters, dy[s])));
        Near("gradient by parameters", parameterSlopes, engine.ParameterGradients, tolerance);
    }

    /// <summary>Numbers in ±1, exactly representable as floats.</summary>
    public static double[] Draw(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (double)(float)((random.NextDouble() * 2) - 1))];

    /// <summary>Samples side by side in lanes: <c>[block][elements][16]</c>; empty lanes hold <paramref name="empty"/>.</summary>
    public static void ToLanes(double[][] samples, Span<float> lanes, float empty)
    {
        int elements = samples[0].Length;
        lanes.Fill(empty);
        for (int s = 0; s < samples.Length; s++)
        {
            for (int e = 0; e < elements; e++)
                lanes[(((s / Stripes.Count * elements) + e) * Stripes.Count) + (s % Stripes.Count)] = (float)samples[s][e];
        }
    }

    public static void Near(string what, ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double tolerance, double leastScale = 0)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = leastScale;
        foreach (double e in expected)
            scale = double.IsNaN(e) ? scale : Math.Max(scale, Math.Abs(e));
        for (int i = 0; i < actual.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]), $"{what}: element {i} is {actual[i]}");
            Assert.True(double.IsNaN(expected[i]) || Math.Abs(expected[i] - actual[i]) <= (tolerance * scale) + 1e-9,
                $"{what}: element {i} is {actual[i]:R}, expected {expected[i]:R} (scale {scale:G3})");
        }
    }

    /// <summary>Central differences by each of some values; NaN for those that were not tried.</summary>
    public static double[] Slopes(Random random, double[] values, int most, Func<double> of)
    {
        double[] slopes = [.. values.Select(_ => double.NaN)];
        int[] order = [.. Enumerable.Range(0, values.Length)];
        if (order.Length > most)
            random.Shuffle(order);
        foreach (int i in order.Take(most))
        {
            double value = values[i];
            values[i] = value + H;
            double above = of();
            values[i] = value - H;
            double below = of();
            values[i] = value;
            slopes[i] = (above - below) / (2 * H);
        }

        return slopes;
    }

    /// <summary>What a layer of the engine makes of some samples, sample by sample.</summary>
    public sealed record Result(float[][] Output, float[][][] InputGradients, float[] ParameterGradients);

    public static Result Compute(Layer layer, Shape[] shapes, double[] parameters, double[][][] x, double[][] dy)
    {
        int samples = x.Length, blocks = (samples + Stripes.Count - 1) / Stripes.Count;
        Shape output = layer.OutputShape("layer", shapes);
        Operation operation = layer.Plan(shapes);
        Guarded[] inputs = [.. shapes.Select(s => new Guarded(s.Elements * blocks * Stripes.Count))];
        Guarded[] inputGradients = [.. shapes.Select(s => new Guarded(s.Elements * blocks * Stripes.Count))];
        using Guarded y = new(output.Elements * blocks * Stripes.Count), gradient = new(output.Elements * blocks * Stripes.Count);
        using Guarded weights = new(parameters.Length), weightGradients = new(parameters.Length), scratch = new(operation.ScratchLength(blocks));
        for (int i = 0; i < shapes.Length; i++)
            ToLanes([.. x.Select(s => s[i])], inputs[i].Span, empty: 3.25f);
        ToLanes(dy, gradient.Span, empty: 0);
        for (int i = 0; i < parameters.Length; i++)
            weights.Span[i] = (float)parameters[i];
        var frame = new Frame
        {
            Inputs = inputs.Select(b => (nint)b.Pointer).ToArray(),
            InputGradients = inputGradients.Select(b => (nint)b.Pointer).ToArray(),
            Output = y.Pointer,
            OutputGradient = gradient.Pointer,
            Parameters = weights.Pointer,
            ParameterGradients = weightGradients.Pointer,
            Scratch = scratch.Pointer,
            Blocks = blocks,
            Pass = new PassContext(Trains: true, Seed: 0, Step: 0, FirstSample: 0, samples),
        };

        operation.Forward(frame);
        operation.Backward(frame);

        var result = new Result(
            FromLanes(y.Span, output.Elements, samples),
            [.. inputGradients.Select((g, i) => FromLanes(g.Span, shapes[i].Elements, samples))],
            weightGradients.Span.ToArray());
        WithoutInputGradients(operation, frame, weightGradients, result);
        Rectified(operation, frame, y, output.Elements, result);
        foreach (Guarded buffer in (Guarded[])[.. inputs, .. inputGradients, y, gradient, weights, weightGradients, scratch])
            buffer.Check();
        foreach (Guarded buffer in (Guarded[])[.. inputs, .. inputGradients])
            buffer.Dispose();
        return result;
    }

    /// <summary>Where nobody needs the gradients by the inputs, the others stay the same bits.</summary>
    private static void WithoutInputGradients(Operation operation, Frame frame, Guarded weightGradients, Result expected)
    {
        weightGradients.Span.Fill(float.NaN);
        frame.InputGradients = new nint[frame.Inputs.Length];
        operation.Backward(frame);
        Assert.Equal(expected.ParameterGradients, weightGradients.Span.ToArray());
    }

    /// <summary>An operation that takes a ReLU over gives the bits of the two one after the other.</summary>
    private static void Rectified(Operation operation, Frame frame, Guarded y, int elements, Result expected)
    {
        if (!operation.CanRectify)
            return;
        y.Span.Fill(float.NaN);
        operation.Rectified().Forward(frame);
        float[][] positive = [.. expected.Output.Select(s => s.Select(v => v > 0 ? v : 0).ToArray())];
        Assert.Equal(positive, FromLanes(y.Span, elements, expected.Output.Length));
    }

    private static double Functional(Layer layer, Shape[] shapes, double[][] x, double[] parameters, double[] dy)
    {
        double[] y = LayerReference.Forward(layer, shapes, x, parameters);
        double sum = 0;
        for (int i = 0; i < y.Length; i++)
            sum += dy[i] * y[i];
        return sum;
    }

    private static float[][] FromLanes(Span<float> lanes, int elements, int samples)
    {
        var result = new float[samples][];
        for (int s = 0; s < samples; s++)
        {
            result[s] = new float[elements];
            for (int e = 0; e < elements; e++)
                result[s][e] = lanes[(((s / Stripes.Count * elements) + e) * Stripes.Count) + (s % Stripes.Count)];
        }

        return result;
    }

    /// <summary>An aligned buffer full of NaN with a strip of marks on both sides that nobody may write to.</summary>
    private sealed class Guarded : IDisposable
    {
        private const int Margin = 64;
        private const float Mark = -12345.5f;
        private readonly AlignedBuffer _memory;
        private readonly int _length;

        public Guarded(int length)
        {
            _length = length;
            _memory = new AlignedBuffer(length + (2 * Margin));
            _memory.Span.Fill(Mark);
            Span.Fill(float.NaN);
        }

        public float* Pointer => _memory.Pointer + Margin;

        public Span<float> Span => new(Pointer, _length);

        public void Check()
        {
            Assert.Equal(-1, _memory.Span[..Margin].IndexOfAnyExcept(Mark));
            Assert.Equal(-1, _memory.Span[(Margin + _length)..].IndexOfAnyExcept(Mark));
        }

        public void Dispose() => _memory.Dispose();
    }
}
