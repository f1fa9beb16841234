using System.Globalization;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Cli.Rendering;

/// <summary>A network as a table of its layers, for people and as JSON.</summary>
internal static class NetworkText
{
    /// <summary>A line for each layer, then the sums.</summary>
    public static void Write(TextWriter output, NetworkSummary summary)
    {
        Network network = summary.Network;
        output.WriteLine($"{network.Name}: input {network.Input}, {network.Classes} classes");
        output.WriteLine();
        IReadOnlyList<LayerSummary> layers = summary.Layers;
        bool branches = layers.Any(layer => layer.Branches);
        string[] head = ["LAYER", "KIND", .. branches ? ["INPUTS"] : Array.Empty<string>(), "OUTPUT", "PARAMETERS", "MULTIPLY-ADDS", "MEMORY"];
        string[][] rows = [.. layers.Select(layer => (string[])
        [
            layer.Name + (layer.TrainingOnly ? " *" : ""),
            layer.Kind,
            .. branches ? [layer.Branches ? string.Join(", ", layer.Inputs) : ""] : Array.Empty<string>(),
            $"{layer.Output}",
            layer.Parameters == 0 ? "" : layer.Parameters.ToString("N0", CultureInfo.InvariantCulture),
            layer.MultiplyAdds == 0 ? "" : Amounts.Count(layer.MultiplyAdds),
            Amounts.Bytes(layer.ActivationBytes),
        ])];
        string[][] aligned = RightAligned([head, .. rows], numbers: 3);
        // Which layer it is, its shape and its parameters are what one comes for.
        int inputs = branches ? 2 : -1, memory = head.Length - 1;
        TextTable.Write(output, aligned[0], aligned[1..], inputs, 1, memory, memory - 1);

        output.WriteLine();
        string auxiliary = network.AuxiliaryParameterCount == 0
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $", {network.AuxiliaryParameterCount:N0} of them in layers that only training has (*)");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"parameters     {network.ParameterCount:N0}{auxiliary}"));
        output.WriteLine($"weights        {Amounts.Bytes(summary.WeightBytes)}");
        output.WriteLine($"multiply-adds  {Amounts.Count(network.MultiplyAdds)} for an image");
        string shared = ArenaBytes(summary) is { } arena
            ? $"{Amounts.Bytes(arena)} in each lane; {Amounts.Bytes(summary.UnsharedBytes)} if layers did not share it"
            : "more than a lane can have; choose a smaller --micro-batch";
        output.WriteLine($"memory         {shared} (activations and gradients of {summary.MicroBatch} images)");
    }

    /// <summary>The same for scripts.</summary>
    public static object Json(NetworkSummary summary) => new
    {
        command = "describe",
        model = summary.Network.Name,
        input = $"{summary.Network.Input}",
        classes = summary.Network.Classes,
        parameters = summary.Network.ParameterCount,
        trainingOnlyParameters = summary.Network.AuxiliaryParameterCount,
        runningStatistics = summary.Network.StatisticCount,
        weightBytes = summary.WeightBytes,
        multiplyAdds = summary.Network.MultiplyAdds,
        microBatch = summary.MicroBatch,
        arenaBytes = ArenaBytes(summary),
        unsharedBytes = summary.UnsharedBytes,
        layers = summary.Layers.Select(layer => new
        {
            name = layer.Name,
            kind = layer.Kind,
            inputs = layer.Inputs,
            output = $"{layer.Output}",
            parameters = layer.Parameters,
            multiplyAdds = layer.MultiplyAdds,
            activationBytes = layer.ActivationBytes,
            trainingOnly = layer.TrainingOnly,
        }),
    };

    private static long? ArenaBytes(NetworkSummary summary)
    {
        try
        {
            return summary.ArenaBytes;
        }
        catch (ShapeException)
        {
            return null;    // a description is wanted all the same
        }
    }

    /// <summary>Rows whose last columns hold numbers, filled up from the left.</summary>
    private static string[][] RightAligned(string[][] rows, int numbers)
    {
        int columns = rows[0].Length;
        int[] widths = [.. Enumerable.Range(0, columns).Select(c => c < columns - numbers ? 0 : rows.Max(row => row[c].Length))];
        return [.. rows.Select(row => row.Select((cell, c) => cell.PadLeft(widths[c])).ToArray())];
    }
}
