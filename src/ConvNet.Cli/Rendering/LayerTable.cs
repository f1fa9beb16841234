using System.Globalization;
using System.Text.Json;
using ConvNet.Core.Benchmarking;
using ConvNet.Core.Networks;

namespace ConvNet.Cli.Rendering;

/// <summary>The roofline of a network: each layer's time beside what the machine could do at most.</summary>
internal static class LayerTable
{
    /// <summary>Writes the table; and, if <paramref name="json"/> is given, one JSON object on a line.</summary>
    public static void Write(
        TextWriter writer, Network network, int microBatch, IReadOnlyList<LayerMeasurement> layers, double peakGflops, double copyGigabytes, TextWriter? json)
    {
        Line(writer, $"{network.Name}, micro-batch {microBatch}, one thread; peak {peakGflops:N1} GFLOP/s, copy {copyGigabytes:N1} GB/s");
        Line(writer, $"{"layer",-28} {"kind",-26} {"output",-14} {"forward ms",10} {"GFLOP/s",8} {"peak",5} {"GB/s",6} {"backward ms",12} {"GFLOP/s",8} {"peak",5} {"GB/s",6}");
        foreach (LayerMeasurement layer in layers.Where(l => l.Forward + l.Backward > 0))
        {
            Line(writer, $"{layer.Name,-28} {layer.Kind,-26} {layer.Output,-14} {Pass(layer.Forward, layer.ForwardOperations, layer.ForwardBytes, 10, peakGflops)} {Pass(layer.Backward, layer.BackwardOperations, layer.BackwardBytes, 12, peakGflops)}");
        }

        double forward = layers.Sum(l => l.Forward), backward = layers.Sum(l => l.Backward);
        Line(writer, $"{"in all",-70} {Pass(forward, layers.Sum(l => l.ForwardOperations), 0, 10, peakGflops)} {Pass(backward, layers.Sum(l => l.BackwardOperations), 0, 12, peakGflops)}");
        json?.WriteLine(JsonSerializer.Serialize(new { command = "bench", model = network.Name, microBatch, peakGflops, copyGigabytesPerSecond = copyGigabytes, layers }, JsonText.Options));
    }

    private static string Pass(double seconds, double operations, double bytes, int width, double peak)
    {
        double gflops = operations / seconds / 1e9;
        string speed = operations > 0 && seconds > 0 ? Text($"{gflops,8:N1} {gflops / peak,5:P0}") : new string(' ', 14);
        string time = seconds > 0 ? (seconds * 1e3).ToString("N2", CultureInfo.InvariantCulture) : "";
        return $"{time.PadLeft(width)} {speed} {(bytes > 0 && seconds > 0 ? Text($"{bytes / seconds / 1e9,6:N1}") : new string(' ', 6))}";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Line(TextWriter writer, FormattableString text) => writer.WriteLine(Text(text).TrimEnd());
}
