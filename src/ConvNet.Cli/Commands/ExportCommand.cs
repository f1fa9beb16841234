using System.CommandLine;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Onnx;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet export MODEL --onnx FILE</c>: writes a saved model in a form that others read.</summary>
internal static class ExportCommand
{
    public static Command Create(TextWriter output)
    {
        var model = new Argument<string>("MODEL") { Description = "Folder of a trained model, or a file in it" };
        var onnx = new Option<string>("--onnx") { Description = "The ONNX file to write", HelpName = "FILE", Required = true };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("export", "Write a trained model as an ONNX file") { model, onnx, json };
        command.SetAction(parsed => Run(parsed.GetValue(model)!, parsed.GetValue(onnx)!, parsed.GetValue(json), output));
        return command;
    }

    private static int Run(string path, string onnx, bool json, TextWriter output)
    {
        TrainedModel model = ModelFile.Load(path);
        if (Path.GetDirectoryName(Path.GetFullPath(onnx)) is not { } folder || !Directory.Exists(folder))
            throw new UsageException($"--onnx {onnx}: there is no such folder to write into.");
        if (Directory.Exists(onnx))
            throw new UsageException($"--onnx {onnx}: is a folder; give the file to write, such as {Path.Combine(onnx, "model.onnx")}.");
        OnnxFile.Write(onnx, model);
        long bytes = new FileInfo(onnx).Length;
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new { command = "export", model = model.Network.Name, modelPath = path, onnx, operatorSet = OnnxFile.OperatorSet, bytes, weightsSha256 = model.WeightsSha256 }, JsonText.Options));
        }
        else
        {
            output.WriteLine($"{onnx}: {model.Network.Name}, input [N, {model.Network.Input.Channels}, {model.Network.Input.Height}, {model.Network.Input.Width}] normalised, scores [N, {model.Network.Classes}], operator set {OnnxFile.OperatorSet}, {bytes:N0} bytes");
        }

        return ExitCode.Done;
    }
}
