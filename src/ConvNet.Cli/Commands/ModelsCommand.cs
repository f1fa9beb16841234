using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet models</c>: the networks that are built in, as they were published.</summary>
internal static class ModelsCommand
{
    public static Command Create(TextWriter output)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("models", "List the networks that are built in") { json };
        command.SetAction(parsed =>
        {
            (Model Model, Network Network)[] all = [.. ModelZoo.All.Select(model => (model, model.Build(model.Input, model.Classes)))];
            if (parsed.GetValue(json))
                output.WriteLine(JsonSerializer.Serialize(new { command = "models", models = all.Select(m => Json(m.Model, m.Network)) }, JsonText.Options));
            else
                WriteTable(output, all);
            return ExitCode.Done;
        });
        return command;
    }

    private static void WriteTable(TextWriter output, (Model Model, Network Network)[] all)
    {
        TextTable.Write(output, ["MODEL", "INPUT", "CLASSES", " PARAMETERS", "MULTIPLY-ADDS", ""], all.Select(m => (string[])
        [
            m.Model.Name,
            $"{m.Model.Input}",
            $"{m.Model.Classes,7}",
            (m.Network.ParameterCount - m.Network.AuxiliaryParameterCount).ToString("N0", CultureInfo.InvariantCulture).PadLeft(11),
            Amounts.Count(m.Network.MultiplyAdds).PadLeft(13),
            m.Model.Summary,
        ]), 5, 2);
        output.WriteLine();
        output.WriteLine("Input and classes are those of the publication; each adapts to the images and classes of its data. 'convnet describe MODEL' shows the layers.");
    }

    private static object Json(Model model, Network network) => new
    {
        name = model.Name,
        summary = model.Summary,
        input = $"{model.Input}",
        classes = model.Classes,
        parameters = network.ParameterCount - network.AuxiliaryParameterCount,
        trainingOnlyParameters = network.AuxiliaryParameterCount,
        multiplyAdds = network.MultiplyAdds,
    };
}
