using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet models</c>: the networks that are built in.</summary>
internal static class ModelsCommand
{
    public static Command Create(TextWriter output)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("models", "List the networks that are built in") { json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(json))
            {
                output.WriteLine(JsonSerializer.Serialize(
                    new
                    {
                        command = "models",
                        models = ModelZoo.All.Select(m => new { name = m.Name, summary = m.Summary, input = m.Input.ToString(), classes = m.Classes, parameters = m.Build(m.Input, m.Classes).ParameterCount }),
                    },
                    JsonText.Options));
                return ExitCode.Done;
            }

            foreach (Model model in ModelZoo.All)
            {
                Network network = model.Build(model.Input, model.Classes);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.Name,-16} {model.Input,-10} {network.ParameterCount,12:N0} parameters   {model.Summary}"));
            }

            return ExitCode.Done;
        });
        return command;
    }
}
