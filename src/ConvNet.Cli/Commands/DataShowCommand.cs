using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Data;
using ConvNet.Data.Images;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet data show DATA</c>: what a data set has, in numbers and as a picture.</summary>
internal static class DataShowCommand
{
    public static Command Create(TextWriter output)
    {
        var data = new Argument<string>("DATA") { Description = $"As a job's data: {string.Join(", ", DataSource.Forms.Select(f => f.Form))}" };
        var sheet = new Option<string>("--out") { Description = "PNG file for a contact sheet: the first training images of each class", HelpName = "FILE", DefaultValueFactory = _ => "contact-sheet.png" };
        var skip = new Option<bool>("--skip-corrupt") { Description = "Leave damaged pictures out, and name them" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("show", "Show a data set: classes, shapes, mean and deviation, and a contact sheet") { data, sheet, skip, json };
        command.SetAction(parsed => Run(parsed.GetValue(data)!, parsed.GetValue(sheet)!, parsed.GetValue(skip), parsed.GetValue(json), output));
        return command;
    }

    private static int Run(string name, string sheet, bool skipCorrupt, bool json, TextWriter output)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(sheet)) is not { } folder || !Directory.Exists(folder))
            throw new UsageException($"--out {sheet}: there is no such folder to write into.");
        DataSplits data = DataSource.Load(name, skipCorrupt);
        int[] training = Counts(data.Training), test = Counts(data.Test);
        ContactSheet.Write(sheet, data.Training);
        IReadOnlyList<string> classes = data.Training.ClassNames;
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    command = "data show",
                    data = name,
                    shape = new[] { data.Training.Shape.Channels, data.Training.Shape.Height, data.Training.Shape.Width },
                    training = data.Training.Count,
                    test = data.Test.Count,
                    mean = data.Normalisation.Mean,
                    deviation = data.Normalisation.Deviation,
                    classes = classes.Select((c, i) => new { name = c, training = training[i], test = test[i] }),
                    skipped = data.Skipped,
                    sheet,
                },
                JsonText.Options));
            return ExitCode.Done;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: images of {data.Training.Shape}, {classes.Count} classes"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"training   {data.Training.Count:N0} images, mean {Text(data.Normalisation.Mean)}, deviation {Text(data.Normalisation.Deviation)}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"test       {data.Test.Count:N0} images"));
        foreach (string skipped in data.Skipped)
            output.WriteLine($"damaged    {skipped}");
        output.WriteLine($"sheet      {sheet}");
        output.WriteLine();
        TextTable.Write(output, ["CLASS", "TRAINING", "TEST"], classes.Select((c, i) => new[] { c, training[i].ToString("N0", CultureInfo.InvariantCulture), test[i].ToString("N0", CultureInfo.InvariantCulture) }));
        return ExitCode.Done;
    }

    private static int[] Counts(DataSet data)
    {
        var counts = new int[data.ClassNames.Count];
        for (int i = 0; i < data.Count; i++)
            counts[data.Label(i)]++;
        return counts;
    }

    private static string Text(IEnumerable<float> values) => string.Join(' ', values.Select(v => v.ToString("F4", CultureInfo.InvariantCulture)));
}
