using System.Runtime.InteropServices;
using Google.Protobuf;

namespace ConvNet.Data.Onnx;

/// <summary>Puts an ONNX graph together, operator by operator.</summary>
internal sealed class GraphWriter
{
    private const int Float = 1, Int64 = 7;     // TensorProto.DataType

    private readonly GraphProto _graph;

    public GraphWriter(string name) => _graph = new GraphProto { Name = name };

    /// <summary>The graph so far.</summary>
    public GraphProto Graph => _graph;

    /// <summary>An input of the graph, of any number of samples.</summary>
    public string Input(string name, params int[] shape)
    {
        _graph.Input.Add(Value(name, shape));
        return name;
    }

    /// <summary>Makes a value an output of the graph.</summary>
    public void Output(string name, params int[] shape) => _graph.Output.Add(Value(name, shape));

    /// <summary>A constant of floats.</summary>
    public string Constant(string name, IReadOnlyList<int> shape, ReadOnlySpan<float> values) => Constant(name, shape, Float, MemoryMarshal.AsBytes(values));

    /// <summary>A constant of whole numbers.</summary>
    public string Constant(string name, params long[] values) => Constant(name, [values.Length], Int64, MemoryMarshal.AsBytes(values.AsSpan()));

    /// <summary>An operator; its output has its name.</summary>
    public string Add(string operation, string name, IEnumerable<string> inputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = operation, Name = name };
        node.Input.AddRange(inputs);
        node.Output.Add(name);
        node.Attribute.AddRange(attributes);
        _graph.Node.Add(node);
        return name;
    }

    public static AttributeProto Attribute(string name, float value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    public static AttributeProto Attribute(string name, int value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Attribute(string name, params int[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values.Select(v => (long)v));
        return attribute;
    }

    private string Constant(string name, IReadOnlyList<int> shape, int type, ReadOnlySpan<byte> bytes)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("ONNX holds little-endian numbers; this machine is big-endian.");
        var tensor = new TensorProto { Name = name, DataType = type, RawData = ByteString.CopyFrom(bytes) };
        tensor.Dims.AddRange(shape.Select(s => (long)s));
        _graph.Initializer.Add(tensor);
        return name;
    }

    private static ValueInfoProto Value(string name, int[] shape)
    {
        var dimensions = new TensorShapeProto();
        dimensions.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "N" });
        dimensions.Dim.AddRange(shape.Select(s => new TensorShapeProto.Types.Dimension { DimValue = s }));
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = Float, Shape = dimensions } } };
    }
}
