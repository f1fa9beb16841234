using ConvNet.Core.Layers;
using ConvNet.Core.Memory;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Layers;

/// <summary>Every layer, in every mode: the forward pass against double precision, the gradients against central differences in double precision.</summary>
public sealed class GradientTests
{
    private const double Step = 1e-4;

    public static TheoryData<string> Cases()
    {
        var data = new TheoryData<string>();
        foreach (string name in All.Keys)
            data.Add(name);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_layer_and_its_gradients_agree_with_double_precision(string name)
    {
        (Layer layer, Shape[] shapes, int[] sampleCounts) = All[name];
        foreach (int samples in sampleCounts)
            Check(layer, shapes, samples);
    }

    private static readonly Dictionary<string, (Layer Layer, Shape[] Inputs, int[] Samples)> All = new()
    {
        ["conv 3x3 valid"] = (new Conv2D(4, 3), [new(3, 6, 7)], [2, 17]),
        ["conv 3x3 same"] = (new Conv2D(5, 3) { Padding = Padding.Same }, [new(2, 5, 6)], [1, 16]),
        ["conv 4x4 same, odd padding"] = (new Conv2D(2, 4) { Padding = Padding.Same }, [new(2, 5, 5)], [3]),
        ["conv same with stride"] = (new Conv2D(3, 3) { Padding = Padding.Same, Stride = 2 }, [new(2, 7, 8)], [2]),
        ["conv 5x5 explicit padding"] = (new Conv2D(6, 5) { Padding = 2 }, [new(1, 8, 8)], [2]),
        ["conv asymmetric padding"] = (new Conv2D(2, new Size(2, 3)) { Padding = new Padding(false, 0, 2, 3, 1) }, [new(2, 4, 5)], [2]),
        ["conv stride 2"] = (new Conv2D(3, 3) { Stride = 2 }, [new(2, 8, 9)], [2]),
        ["conv stride 3 past the edge"] = (new Conv2D(3, 2) { Stride = 3 }, [new(2, 8, 9)], [2]),
        ["conv stride 3 by 1, padding"] = (new Conv2D(2, 3) { Stride = new Size(3, 1), Padding = 2 }, [new(1, 7, 5)], [2]),
        ["conv dilation"] = (new Conv2D(3, 3) { Dilation = 2 }, [new(2, 7, 8)], [2]),
        ["conv dilation, stride and padding"] = (new Conv2D(2, 3) { Dilation = new Size(2, 3), Stride = 2, Padding = 3 }, [new(2, 7, 6)], [2]),
        ["conv groups"] = (new Conv2D(6, 3) { Groups = 2, Padding = 1 }, [new(4, 5, 5)], [2]),
        ["conv depthwise"] = (new Conv2D(3, 3) { Groups = 3, Padding = 1 }, [new(3, 5, 6)], [2]),
        ["conv depthwise with multiplier"] = (new Conv2D(4, 3) { Groups = 2, Stride = 2 }, [new(2, 6, 6)], [2]),
        ["conv without bias"] = (new Conv2D(3, 3) { Bias = false }, [new(2, 4, 4)], [2]),
        ["conv 1x1"] = (new Conv2D(13, 1), [new(5, 3, 3)], [2, 33]),
        ["conv 1x1 on one pixel"] = (new Conv2D(3, 1), [new(2, 1, 1)], [1]),
        ["conv as large as its image"] = (new Conv2D(7, new Size(4, 3)), [new(2, 4, 3)], [2]),
        ["conv over several sum blocks"] = (new Conv2D(3, 3) { Padding = 1 }, [new(35, 2, 2)], [2]),
        ["conv with many outputs"] = (new Conv2D(26, 2), [new(2, 3, 3)], [2]),
        ["transposed conv"] = (new TransposedConv2D(4, 3), [new(3, 4, 5)], [1, 2, 16, 17, 33]),
        ["transposed conv with stride"] = (new TransposedConv2D(3, 3) { Stride = 2 }, [new(2, 3, 4)], [2, 17]),
        ["transposed conv with stride and padding"] = (new TransposedConv2D(3, 4) { Stride = 2, Padding = 1 }, [new(2, 3, 4)], [2]),
        ["transposed conv with output padding"] = (new TransposedConv2D(3, 3) { Stride = new Size(2, 3), Padding = 1, OutputPadding = new Size(1, 2) }, [new(2, 3, 4)], [2]),
        ["transposed conv same"] = (new TransposedConv2D(3, 3) { Padding = Padding.Same }, [new(2, 4, 5)], [2]),
        ["transposed conv same with stride"] = (new TransposedConv2D(3, new Size(3, 4)) { Stride = 2, Padding = Padding.Same }, [new(2, 3, 4)], [2]),
        ["transposed conv same, stride beyond the window"] = (new TransposedConv2D(3, 2) { Stride = 3, Padding = Padding.Same }, [new(2, 3, 2)], [2]),
        ["transposed conv asymmetric"] = (new TransposedConv2D(2, new Size(2, 3)) { Padding = new Padding(false, 0, 2, 1, 0), Stride = new Size(1, 2) }, [new(2, 4, 3)], [2]),
        ["transposed conv dilated"] = (new TransposedConv2D(2, 3) { Dilation = new Size(2, 3), Stride = 2, Padding = 2 }, [new(2, 4, 4)], [2]),
        ["transposed conv with gaps"] = (new TransposedConv2D(3, 2) { Stride = 3 }, [new(2, 3, 3)], [2]),
        ["transposed conv groups"] = (new TransposedConv2D(6, 3) { Groups = 2, Stride = 2, Padding = 1 }, [new(4, 3, 3)], [2]),
        ["transposed conv depthwise, without bias"] = (new TransposedConv2D(3, 3) { Groups = 3, Bias = false }, [new(3, 3, 4)], [2]),
        ["transposed conv 1x1"] = (new TransposedConv2D(13, 1), [new(5, 3, 3)], [2]),
        ["transposed conv of one pixel"] = (new TransposedConv2D(7, new Size(4, 3)), [new(5, 1, 1)], [2, 40]),
        ["transposed conv over several sum blocks"] = (new TransposedConv2D(3, 3) { Padding = 1 }, [new(35, 2, 2)], [2]),
        ["transposed conv with many outputs"] = (new TransposedConv2D(26, 2), [new(2, 3, 3)], [2]),
        ["full"] = (new FullyConnected(7), [Shape.Vector(5)], [1, 16, 17, 40]),
        ["full without bias"] = (new FullyConnected(13) { Bias = false }, [Shape.Vector(17)], [2]),
        ["full on an image"] = (new FullyConnected(3), [new(2, 3, 4)], [5]),
        ["full over several sum blocks"] = (new FullyConnected(2), [Shape.Vector(530)], [2]),
        ["full with many outputs"] = (new FullyConnected(270), [Shape.Vector(2)], [2]),
        ["max pool 2x2"] = (new MaxPool2D(2), [new(2, 4, 6)], [2, 18]),
        ["max pool past the edge"] = (new MaxPool2D(2), [new(2, 5, 7)], [2]),
        ["max pool overlapping"] = (new MaxPool2D(3) { Stride = 2 }, [new(2, 7, 7)], [2]),
        ["max pool padded"] = (new MaxPool2D(3) { Stride = 2, Padding = 1 }, [new(2, 6, 5)], [2]),
        ["max pool same"] = (new MaxPool2D(new Size(2, 3)) { Stride = 1, Padding = Padding.Same }, [new(1, 4, 4)], [2]),
        ["max pool with gaps"] = (new MaxPool2D(2) { Stride = 3 }, [new(2, 8, 8)], [2]),
        ["average pool 2x2"] = (new AveragePool2D(2), [new(2, 4, 6)], [2, 18]),
        ["average pool overlapping"] = (new AveragePool2D(3) { Stride = 2 }, [new(2, 7, 7)], [2]),
        ["average pool padded"] = (new AveragePool2D(3) { Stride = 2, Padding = 1 }, [new(2, 6, 5)], [2]),
        ["average pool counting padding"] = (new AveragePool2D(3) { Stride = 2, Padding = 1, CountPadding = true }, [new(2, 6, 5)], [2]),
        ["average pool with gaps"] = (new AveragePool2D(new Size(2, 1)) { Stride = 3 }, [new(2, 8, 8)], [2]),
        ["relu"] = (new Relu(), [new(2, 3, 3)], [2, 19]),
        ["tanh"] = (new Tanh(), [new(2, 3, 3)], [2]),
        ["sigmoid"] = (new Sigmoid(), [new(2, 3, 3)], [2]),
        ["flatten"] = (new Flatten(), [new(2, 3, 3)], [2, 17]),
        ["batch norm"] = (new BatchNorm2D(), [new(3, 3, 5)], [1, 3, 16, 19]),
        ["batch norm of a vector"] = (new BatchNorm2D { Epsilon = 0.1f }, [Shape.Vector(5)], [2, 33]),
        ["dropout"] = (new Dropout(0.4f), [new(2, 3, 3)], [2, 18]),
        ["dropout of nothing"] = (new Dropout(0), [Shape.Vector(3)], [2]),
        ["max pool rounded up"] = (new MaxPool2D(3) { Stride = 2, CeilMode = true }, [new(2, 6, 8)], [2]),
        ["max pool rounded up, padded"] = (new MaxPool2D(3) { Stride = 2, Padding = 1, CeilMode = true }, [new(2, 6, 5)], [2]),
        ["max pool rounded up where nothing is cut off"] = (new MaxPool2D(2) { CeilMode = true }, [new(2, 4, 4)], [2]),
        ["max pool 1x1 in steps, rounded up"] = (new MaxPool2D(1) { Stride = 3, CeilMode = true }, [new(2, 6, 5)], [2]),
        ["average pool rounded up"] = (new AveragePool2D(2) { CeilMode = true }, [new(2, 5, 3)], [2]),
        ["average pool rounded up, padded"] = (new AveragePool2D(3) { Stride = 2, Padding = 1, CeilMode = true }, [new(2, 6, 5)], [2]),
        ["average pool rounded up, counting padding"] = (new AveragePool2D(3) { Stride = 3, Padding = 1, CountPadding = true, CeilMode = true }, [new(2, 6, 7)], [2]),
        ["max pool rounded up, a window wider than its image"] = (new MaxPool2D(3) { Stride = 2, CeilMode = true }, [new(2, 2, 5)], [2, 17]),
        ["global average pool"] = (new GlobalAveragePool2D(), [new(3, 5, 4)], [2, 18]),
        ["local response"] = (new LocalResponseNormalisation { Alpha = 0.7f, K = 2 }, [new(7, 2, 3)], [2, 18]),
        ["local response, even window, other power"] = (new LocalResponseNormalisation(4) { Alpha = 1.5f, Beta = 0.6f }, [new(6, 2, 2)], [2]),
        ["local response, window wider than the channels"] = (new LocalResponseNormalisation(9) { Alpha = 1 }, [new(3, 2, 2)], [2]),
        ["leaky relu"] = (new LeakyRelu(0.2f), [new(2, 3, 3)], [2, 17]),
        ["elu"] = (new Elu(1.3f), [new(2, 3, 3)], [2]),
        ["gelu"] = (new Gelu(), [new(2, 3, 3)], [2, 17]),
        ["softmax"] = (new Softmax(), [Shape.Vector(7)], [1, 16, 19]),
        ["softmax of each pixel"] = (new Softmax(), [new(3, 2, 5)], [2, 17]),
        ["softmax of one"] = (new Softmax(), [new(1, 2, 2)], [2]),
        ["concat of vectors"] = (new Concat(), [Shape.Vector(3), Shape.Vector(5)], [1, 40]),
        ["concat"] = (new Concat(), [new(2, 3, 3), new(1, 3, 3), new(3, 3, 3)], [2, 17]),
        ["identity shortcut"] = (new IdentityShortcut(5) { Stride = 2 }, [new(3, 5, 4)], [2, 17]),
        ["identity shortcut, channels only"] = (new IdentityShortcut(4), [new(3, 2, 2)], [2]),
        ["add"] = (new Add(), [new(2, 3, 3), new(2, 3, 3)], [2]),
        ["add of four"] = (new Add(), [new(2, 3, 3), new(2, 3, 3), new(2, 3, 3), new(2, 3, 3)], [2, 17]),
    };

    private static unsafe void Check(Layer layer, Shape[] shapes, int samples)
    {
        // Numbers that float32 holds exactly, so that both sides see the same.
        double[][] inputs = [.. shapes.Select((s, i) => Numbers(samples * s.Elements, (ulong)i))];
        double[] parameters = Numbers(layer.Parameters(shapes).Sum(p => p.Length), 10);
        Shape output = layer.OutputShape("test", shapes);
        double[] slope = Numbers(samples * output.Elements, 20);
        Operation operation = layer.Plan(shapes);
        int blocks = SampleLanes.Blocks(samples);
        AlignedBuffer[] x = [.. shapes.Select(s => new AlignedBuffer(blocks * s.Elements * 16))], dx = [.. shapes.Select(s => new AlignedBuffer(blocks * s.Elements * 16))];
        using AlignedBuffer y = new(blocks * output.Elements * 16), dy = new(y.Length), w = new(parameters.Length), dw = new(parameters.Length);
        using AlignedBuffer scratch = new(operation.ScratchLength(blocks)), saved = new(operation.SavedLength(blocks));
        using AlignedBuffer statistics = new(layer.Statistics(shapes).Sum(s => s.Length));
        for (int i = 0; i < x.Length; i++)
            SampleLanes.Write(inputs[i], samples, x[i].Span, empty: 3.25f);
        foreach (AlignedBuffer written in dx.Append(dw).Append(y).Append(scratch).Append(saved).Append(statistics))
            written.Span.Fill(float.NaN);
        SampleLanes.Write(slope, samples, dy.Span);
        for (int i = 0; i < parameters.Length; i++)
            w.Span[i] = (float)parameters[i];
        var frame = new Frame
        {
            Inputs = x.Select(b => (nint)b.Pointer).ToArray(),
            InputGradients = dx.Select(b => (nint)b.Pointer).ToArray(),
            Output = y.Pointer,
            OutputGradient = dy.Pointer,
            Parameters = w.Pointer,
            ParameterGradients = dw.Pointer,
            Statistics = statistics.Pointer,
            Saved = saved.Pointer,
            Pass = new PassContext(Trains: true, Seed: 0, Step: 0, FirstSample: 0, samples),
            Scratch = scratch.Pointer,
            Blocks = blocks,
        };

        operation.Forward(in frame);
        operation.Backward(in frame);

        AssertClose(DoubleLayers.Forward(layer, shapes, inputs, parameters, samples), SampleLanes.Read(y.Span, samples, output.Elements), "y");
        for (int i = 0; i < inputs.Length; i++)
        {
            AssertClose(Differences(inputs[i], () => DoubleLayers.Forward(layer, shapes, inputs, parameters, samples), slope),
                SampleLanes.Read(dx[i].Span, samples, shapes[i].Elements), $"dx{i}");
            Assert.All(SampleLanes.Empty(dx[i].Span, samples, shapes[i].Elements), v => Assert.Equal(0, v));
        }

        double[] dwRead = [.. dw.Span.ToArray().Select(v => (double)v)];
        AssertClose(Differences(parameters, () => DoubleLayers.Forward(layer, shapes, inputs, parameters, samples), slope), dwRead, "dw");
    }

    /// <summary>d(Σ slope·y) / d(each variable) by central differences.</summary>
    private static double[] Differences(double[] variables, Func<double[]> forward, double[] slope)
    {
        var gradient = new double[variables.Length];
        for (int i = 0; i < variables.Length; i++)
        {
            double before = variables[i];
            variables[i] = before + Step;
            double above = Dot(forward(), slope);
            variables[i] = before - Step;
            double below = Dot(forward(), slope);
            variables[i] = before;
            gradient[i] = (above - below) / (2 * Step);
        }

        return gradient;
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (p, q) => p * q).Sum();

    private static void AssertClose(double[] expected, double[] actual, string what)
    {
        double scale = expected.Select(Math.Abs).DefaultIfEmpty(0).Max() + 1e-3;
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-5 * scale, $"{what}[{i}]: expected {expected[i]}, got {actual[i]}");
    }

    /// <summary>Numbers in ±1, none within a step of another's place in a maximum or of ReLU's kink.</summary>
    private static double[] Numbers(int length, ulong seed)
    {
        var random = new Philox(seed, Purpose.Test);
        return [.. Enumerable.Range(0, length).Select(i =>
        {
            double value = (2 * random.Uniform(0, (ulong)i)) - 1;
            return (float)(Math.Abs(value) < 1e-3 ? 0.5 : value);
        }).Select(v => (double)v)];
    }
}
