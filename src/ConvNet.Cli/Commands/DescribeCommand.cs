using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Jobs;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Manifests;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet describe MODEL</c>: the layers of a network, and what they cost.</summary>
internal static class DescribeCommand
{
    private const int UsualMicroBatch = 32, Most = 1 << 20;

    public static Command Create(TextWriter output)
    {
        var model = new Argument<string>("MODEL") { Description = "A built-in network, a job file (.yaml), or the folder of a trained model" };
        var input = new Option<string?>("--input") { Description = "Channels, height and width of the images [default: as published, or as the job's data]", HelpName = "CxHxW" };
        var classes = new Option<int?>("--classes") { Description = "Number of classes [default: as published, or as the job's data]", HelpName = "N" };
        var microBatch = new Option<int?>("--micro-batch") { Description = "Samples that a lane computes at a time [default: the job's, or 32]", HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("describe", "Show a network's layers, parameters, multiply-adds and memory") { model, input, classes, microBatch, json };
        command.SetAction(parsed =>
        {
            Shape? shape = parsed.GetValue(input) is { } text ? ParseShape(text) : null;
            int? classCount = InRange("--classes", parsed.GetValue(classes), 1 << 16), samples = InRange("--micro-batch", parsed.GetValue(microBatch), 1 << 16);
            NetworkSummary summary = Summary(parsed.GetValue(model)!, shape, classCount, samples);
            if (parsed.GetValue(json))
                output.WriteLine(JsonSerializer.Serialize(NetworkText.Json(summary), JsonText.Options));
            else
                NetworkText.Write(output, summary);
            return ExitCode.Done;
        });
        return command;
    }

    private static NetworkSummary Summary(string name, Shape? input, int? classes, int? microBatch)
    {
        if (ModelZoo.Find(name) is { } model)
            return new NetworkSummary(model.Build(input ?? model.Input, classes ?? model.Classes), microBatch ?? UsualMicroBatch);
        if (Path.GetExtension(name) is ".yaml" or ".yml")
        {
            JobSpec spec = JobFile.Parse(JobOptions.Text(name), name);
            return new NetworkSummary(Build(spec, input, classes), microBatch ?? spec.MicroBatch);
        }

        if (!Path.Exists(name))
            throw new UsageException($"{Failures.UnknownModel(name).Message} A job file (.yaml) or the folder of a trained model can be described too.");
        if (input != null || classes != null)
            throw new UsageException($"{name} is a trained model: its input and its classes are what they are; leave out --input and --classes.");
        return new NetworkSummary(ModelFile.LoadNetwork(name), microBatch ?? UsualMicroBatch);
    }

    /// <summary>The network of a job. Its data are looked at only if they have to be.</summary>
    private static Network Build(JobSpec spec, Shape? input, int? classes)
    {
        if (input is { } shape && classes is { } count)
            return JobNetwork.Build(spec, shape, count);
        try
        {
            DataDescription data = DataDescription.Of(DataSource.Load(spec.Data));
            return JobNetwork.Build(spec, input ?? data.Shape, classes ?? data.ClassNames.Count);
        }
        catch (DataException missing)
        {
            throw new UsageException($"{missing.Message} With --input and --classes no data are needed.");
        }
    }

    private static Shape ParseShape(string text)
    {
        int[] sizes = [.. text.Split('x').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? size : 0)];
        return sizes.Length == 3 && sizes.Min() >= 1 && sizes.Max() <= Most
            ? new Shape(sizes[0], sizes[1], sizes[2])
            : throw new UsageException($"--input is '{text}'; it takes channels, height and width, such as 3x224x224.");
    }

    private static int? InRange(string option, int? value, int most) => value is null or >= 1 && !(value > most)
        ? value
        : throw new UsageException($"{option} is {value}; it takes 1 to {most}.");
}
