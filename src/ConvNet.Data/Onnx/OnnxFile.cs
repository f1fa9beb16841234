using System.Globalization;
using ConvNet.Data.Files;
using ConvNet.Data.ModelFiles;
using Google.Protobuf;

namespace ConvNet.Data.Onnx;

/// <summary>Writes a trained network as an ONNX file, which the rest of the world can run.</summary>
/// <remarks>
/// Input <c>input</c>: <c>[N, C, H, W]</c> of any N, normalised pixels: (pixel / 255 − mean) / deviation. Output <c>scores</c>: <c>[N, classes]</c>, not yet
/// through softmax. Mean, deviation, class names and the weights' hash are in the file's metadata. Auxiliary outputs and dropout are left out.
/// </remarks>
public static class OnnxFile
{
    /// <summary>The version of the operators that are used: any reader of 2022 or later knows them.</summary>
    public const int OperatorSet = 17;

    private const int IntermediateRepresentation = 8;
    private const long MostBytes = int.MaxValue;

    /// <summary>Writes a model, whole or not at all.</summary>
    /// <param name="path">The file; what is there is replaced.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="DataException">A layer has no counterpart in ONNX, or the weights exceed the 2 GB that such a file can hold.</exception>
    public static void Write(string path, TrainedModel model)
    {
        ModelProto file = Of(model);
        if (file.CalculateSize() < 0 || (long)model.Weights.Length * sizeof(float) > MostBytes)
            throw new DataException($"{path}: {model.Network.Name} has more than the 2 GB that an ONNX file can hold.");
        AtomicFile.Write(path, stream => file.WriteTo(stream));
    }

    /// <summary>The bytes of such a file.</summary>
    internal static byte[] Bytes(TrainedModel model) => Of(model).ToByteArray();

    private static ModelProto Of(TrainedModel model)
    {
        var graph = new GraphWriter(model.Network.Name);
        string input = graph.Input("input", model.Network.Input.Channels, model.Network.Input.Height, model.Network.Input.Width);
        string last = new OnnxLayers(graph, model.Network, model.Weights).Write(input);
        graph.Add("Identity", "scores", [last]);
        graph.Output("scores", model.Network.Classes);
        var file = new ModelProto
        {
            IrVersion = IntermediateRepresentation,
            ProducerName = "ConvNet.Cluster",
            Graph = graph.Graph,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = OperatorSet } },
        };
        Say("mean", Text(model.Normalisation.Mean));
        Say("deviation", Text(model.Normalisation.Deviation));
        Say("classes", string.Join('\n', model.ClassNames));
        Say("weightsSha256", model.WeightsSha256);
        return file;

        void Say(string key, string value) => file.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
    }

    private static string Text(IEnumerable<float> values) => string.Join(' ', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));
}
