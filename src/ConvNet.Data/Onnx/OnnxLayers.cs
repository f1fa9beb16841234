using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using static ConvNet.Data.Onnx.GraphWriter;

namespace ConvNet.Data.Onnx;

/// <summary>Says in ONNX's operators, version 17, what each layer does.</summary>
/// <remarks>
/// In ONNX a vector of features is <c>[N, F]</c> and an image <c>[N, C, H, W]</c>; here a vector is an image of one pixel. So every value is remembered with
/// its form, and turned into the other where an operator needs it. Rounded-up pooling is written as padding, which all readers agree about.
/// </remarks>
internal sealed class OnnxLayers(GraphWriter graph, Network network, float[] state)
{
    private readonly Dictionary<int, (string Name, bool IsImage)> _values = [];

    /// <summary>Writes the whole network; returns the name of its scores, <c>[N, classes]</c>.</summary>
    /// <exception cref="DataException">A layer cannot be said in ONNX.</exception>
    public string Write(string input)
    {
        _values[Network.InputNode] = (input, true);
        for (int i = 0; i < network.Nodes.Count; i++)
        {
            if (!network.IsTrainingOnly(i))
                _values[i] = Write(network.Nodes[i]);
        }

        return Vector(network.Nodes.Count - 1);
    }

    private (string Name, bool IsImage) Write(Node node)
    {
        Shape x = node.InputShapes[0];
        (string from, bool isImage) = _values[node.Inputs[0]];
        string name = node.Name;
        switch (node.Layer)
        {
            case Conv2D conv:
                return (graph.Add("Conv", name, [Image(node.Inputs[0]), .. Parameters(node)], [
                    .. Window(conv.Padding.Windows(x, conv.Kernel, conv.Stride, conv.Dilation)),
                    Attribute("dilations", conv.Dilation.Height, conv.Dilation.Width), Attribute("group", conv.Groups)]), true);
            case TransposedConv2D conv:
                return (Transposed(node, conv, Image(node.Inputs[0])), true);
            case FullyConnected:
                return (graph.Add("Gemm", name, [Vector(node.Inputs[0]), .. Parameters(node)], Attribute("transB", 1)), false);
            case MaxPool2D pool:
                return (graph.Add("MaxPool", name, [Image(node.Inputs[0])], [.. Window(pool.Padding.Windows(x, pool.Kernel, pool.Stride, 1, pool.CeilMode))]), true);
            case AveragePool2D pool:
                return (Average(name, Image(node.Inputs[0]), pool, pool.Padding.Windows(x, pool.Kernel, pool.Stride, 1, pool.CeilMode)), true);
            case GlobalAveragePool2D:
                return (graph.Add("GlobalAveragePool", name, [Image(node.Inputs[0])]), true);
            case BatchNorm2D norm:
                return (graph.Add("BatchNormalization", name, [from, .. Parameters(node), .. Statistics(node)], Attribute("epsilon", norm.Epsilon)), isImage);
            case LocalResponseNormalisation norm when norm.Size % 2 == 1:
                return (graph.Add("LRN", name, [Image(node.Inputs[0])],
                    Attribute("size", norm.Size), Attribute("alpha", norm.Alpha), Attribute("beta", norm.Beta), Attribute("bias", norm.K)), true);
            case Relu:
                return (graph.Add("Relu", name, [from]), isImage);
            case Tanh:
                return (graph.Add("Tanh", name, [from]), isImage);
            case Sigmoid:
                return (graph.Add("Sigmoid", name, [from]), isImage);
            case LeakyRelu leaky:
                return (graph.Add("LeakyRelu", name, [from], Attribute("alpha", leaky.Slope)), isImage);
            case Elu elu:
                return (graph.Add("Elu", name, [from], Attribute("alpha", elu.Alpha)), isImage);
            case Gelu _:
                return (ByErrorFunction(name, from), isImage);
            case Softmax:
                return (graph.Add("Softmax", name, [from], Attribute("axis", 1)), isImage);
            case Flatten:
                return (isImage ? graph.Add("Flatten", name, [from], Attribute("axis", 1)) : from, false);
            case Dropout:
                return (from, isImage);
            case Add:
                return (graph.Add(node.Inputs.Count == 2 ? "Add" : "Sum", name, node.Inputs.Select(Image)), true);
            case Concat:
                return (graph.Add("Concat", name, node.Inputs.Select(Image), Attribute("axis", 1)), true);
            case IdentityShortcut shortcut:
                return (Shortcut(name, Image(node.Inputs[0]), shortcut, x), true);
            default:
                throw new DataException($"{network.Name}: layer {name} cannot be said in ONNX: {node.Layer}.");
        }
    }

    /// <summary>Zeros that count in the mean are put around the image before it, so that what rounding up reaches beyond them does not count.</summary>
    private string Average(string name, string x, AveragePool2D pool, (Window Rows, Window Columns) w)
    {
        if (pool.CountPadding)
        {
            x = graph.Add("Pad", $"{name}.padded", [x, graph.Constant($"{name}.pads", 0, 0, w.Rows.Before, w.Columns.Before, 0, 0, w.Rows.After, w.Columns.After)]);
            w = (w.Rows with { Before = 0, After = 0 }, w.Columns with { Before = 0, After = 0 });
        }

        return graph.Add("AveragePool", name, [x], [.. Window(w), Attribute("count_include_pad", 0)]);
    }

    /// <summary>The window is that of the convolution from the output back to the input; what its size leaves open is said as output padding.</summary>
    private string Transposed(Node node, TransposedConv2D conv, string x)
    {
        (Window rows, Window columns) = conv.Padding.Windows(node.Output, conv.Kernel, conv.Stride, conv.Dilation);
        Shape input = node.InputShapes[0];
        return graph.Add("ConvTranspose", node.Name, [x, .. Parameters(node)], [
            .. Window((rows, columns)), Attribute("dilations", conv.Dilation.Height, conv.Dilation.Width), Attribute("group", conv.Groups),
            Attribute("output_padding", node.Output.Height - rows.SlideBack(input.Height), node.Output.Width - columns.SlideBack(input.Width))]);
    }

    /// <summary>x·(½ + ½·erf(x / √2)): Gelu is an operator of its own only from version 20 on.</summary>
    private string ByErrorFunction(string name, string x)
    {
        string share = graph.Constant($"{name}.share", [], [0.70710678f]), half = graph.Constant($"{name}.half", [], [0.5f]);
        string erf = graph.Add("Erf", $"{name}.erf", [graph.Add("Mul", $"{name}.scaled", [x, share])]);
        string distribution = graph.Add("Add", $"{name}.distribution", [graph.Add("Mul", $"{name}.halved", [erf, half]), half]);
        return graph.Add("Mul", name, [x, distribution]);
    }

    private string Shortcut(string name, string x, IdentityShortcut shortcut, Shape shape)
    {
        if (shortcut.Stride != new Size(1, 1))
        {
            x = graph.Add("Slice", $"{name}.slice",
                [x, graph.Constant($"{name}.starts", 0, 0), graph.Constant($"{name}.ends", shape.Height, shape.Width), graph.Constant($"{name}.axes", 2, 3),
                    graph.Constant($"{name}.steps", shortcut.Stride.Height, shortcut.Stride.Width)]);
        }

        return graph.Add("Pad", name, [x, graph.Constant($"{name}.pads", 0, 0, 0, 0, 0, shortcut.OutChannels - shape.Channels, 0, 0)]);
    }

    private string Image(int value)
    {
        (string name, bool isImage) = _values[value];
        if (isImage)
            return name;
        string image = $"{name}.image";
        if (!graph.Graph.Node.Any(n => n.Name == image))
            graph.Add("Reshape", image, [name, graph.Constant($"{image}.shape", 0, -1, 1, 1)]);
        return image;
    }

    private string Vector(int value)
    {
        (string name, bool isImage) = _values[value];
        if (!isImage)
            return name;
        string vector = $"{name}.vector";
        return graph.Graph.Node.Any(n => n.Name == vector) ? vector : graph.Add("Flatten", vector, [name], Attribute("axis", 1));
    }

    private string[] Parameters(Node node) =>
    [
        .. network.Parameters.Where(p => p.Offset >= node.FirstParameter && p.Offset < node.FirstParameter + node.ParameterCount)
            .Select(p => graph.Constant(p.Name, p.Shape, state.AsSpan(p.Offset, p.Length))),
    ];

    private string[] Statistics(Node node) =>
    [
        .. network.Statistics.Where(s => s.Offset >= node.FirstStatistic && s.Offset < node.FirstStatistic + node.StatisticCount)
            .Select(s => graph.Constant(s.Name, s.Shape, state.AsSpan(network.ParameterCount + s.Offset, s.Length))),
    ];

    private static AttributeProto[] Window((Window Rows, Window Columns) w) =>
    [
        Attribute("kernel_shape", w.Rows.Kernel, w.Columns.Kernel), Attribute("strides", w.Rows.Stride, w.Columns.Stride),
        Attribute("pads", w.Rows.Before, w.Columns.Before, w.Rows.After + w.Rows.Overhang, w.Columns.After + w.Columns.Overhang),
    ];
}
