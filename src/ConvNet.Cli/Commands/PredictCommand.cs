using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Batches;
using ConvNet.Data.Images;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet predict MODEL IMAGE…</c>: what a saved model sees in pictures.</summary>
internal static class PredictCommand
{
    private const int Best = 3;

    public static Command Create(TextWriter output, TextWriter error)
    {
        var model = new Argument<string>("MODEL") { Description = "Folder of a trained model, or a file in it" };
        var images = new Argument<string[]>("IMAGE") { Description = "PNG, JPEG or BMP pictures, of any size", Arity = ArgumentArity.OneOrMore };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("predict", "Tell the class of pictures, with probabilities") { model, images, json };
        command.SetAction(parsed => Run(parsed.GetValue(model)!, parsed.GetValue(images)!, parsed.GetValue(json), output));
        return command;
    }

    private static int Run(string path, string[] images, bool json, TextWriter output)
    {
        TrainedModel model = ModelFile.Load(path);
        Shape shape = model.Network.Input;
        int classes = model.Network.Classes;
        // All pictures are read before anything is said, so that a bad one leaves no half answer.
        byte[][] pixels = [.. images.Select(file => Read(file, shape))];
        using var workspace = new Workspace(new ExecutionPlan(model.Network, microBatch: 1));
        var predictions = new List<(string Image, float[] Probabilities)>();
        for (int i = 0; i < images.Length; i++)
        {
            var one = new DataSet(images[i], shape, pixels[i], [0], model.ClassNames);
            SampleLanes.Fill(one, [0], model.Normalisation, workspace.Input, workspace.Labels);
            var probabilities = new float[classes];
            workspace.Predict(1, model.Weights, probabilities);
            predictions.Add((images[i], probabilities));
        }

        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    command = "predict",
                    model = model.Network.Name,
                    modelPath = path,
                    predictions = predictions.Select(p => new
                    {
                        image = p.Image,
                        @class = model.ClassNames[Ranked(p.Probabilities)[0]],
                        probabilities = Enumerable.Range(0, classes).ToDictionary(c => model.ClassNames[c], c => p.Probabilities[c]),
                    }),
                },
                JsonText.Options));
            return ExitCode.Done;
        }

        foreach ((string image, float[] probabilities) in predictions)
        {
            IEnumerable<string> best = Ranked(probabilities).Take(Best)
                .Select(c => string.Create(CultureInfo.InvariantCulture, $"{model.ClassNames[c]} {100 * probabilities[c]:F1} %"));
            output.WriteLine($"{image}: {string.Join(",  ", best)}");
        }

        return ExitCode.Done;
    }

    private static int[] Ranked(float[] probabilities) => [.. Enumerable.Range(0, probabilities.Length).OrderByDescending(c => probabilities[c])];

    /// <summary>Reads a picture; one with a single channel is turned to light on dark, as the digit sets are.</summary>
    private static byte[] Read(string file, Shape shape)
    {
        if (shape.Channels == 3)
        {
            var planes = new byte[shape.Elements];
            ImageFile.ReadCut(file, shape, planes);
            return planes;
        }

        byte[] pixels = ImageFile.Read(file, shape);
        if (shape.Channels == 1)
            ImageFile.LightOnDark(pixels, shape.Width, shape.Height);
        return pixels;
    }
}
