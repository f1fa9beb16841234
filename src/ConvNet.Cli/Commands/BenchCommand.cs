using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ConvNet.Cli.Rendering;
using ConvNet.Core.Benchmarking;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet bench</c>: what this machine can do, and what the engine makes of it, in a few seconds.</summary>
internal static class BenchCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var model = new Option<string>("--model") { Description = "The network to train", HelpName = "NAME", DefaultValueFactory = _ => "lenet5" };
        var batch = new Option<int?>("--batch") { Description = "Samples of a step; by default 128 for small networks down to 2 for the largest", HelpName = "N" };
        var microBatch = new Option<int?>("--micro-batch") { Description = "Samples that a lane computes at a time; by default up to 32", HelpName = "N" };
        var lanes = new Option<int>("--lanes") { Description = "Threads that compute side by side", HelpName = "N", DefaultValueFactory = _ => 1 };
        var seconds = new Option<double>("--seconds") { Description = "How long to time the training steps", HelpName = "S", DefaultValueFactory = _ => 2 };
        var layers = new Option<bool>("--layers") { Description = "Time each layer of the network on one thread instead of whole steps" };
        var json = new Option<bool>("--json") { Description = "End with one JSON object on a line" };
        var command = new Command("bench", "Measure this machine and the engine: peak, matrix product, training steps") { model, batch, microBatch, lanes, seconds, layers, json };
        command.SetAction(parsed =>
        {
            Model network = ModelZoo.Find(parsed.GetValue(model)!) ?? throw Failures.UnknownModel(parsed.GetValue(model)!);
            int lane = parsed.GetValue(lanes), samples = parsed.GetValue(batch) ?? UsualBatch(network) * Math.Max(1, lane);
            int micro = parsed.GetValue(microBatch) ?? Enumerable.Range(1, 32).Last(n => samples % (n * Math.Clamp(lane, 1, samples)) == 0 || n == 1);
            return Run(network, samples, micro, lane, parsed.GetValue(seconds), parsed.GetValue(layers), parsed.GetValue(json), output, error);
        });
        return command;
    }

    /// <summary>Samples of a step by a network's size: what it is usually compared at.</summary>
    private static int UsualBatch(Model model)
    {
        long work = model.Build(model.Input, model.Classes).Nodes.Sum(n => n.Layer.MultiplyAdds(n.InputShapes));
        return work switch { < 10_000_000 => 128, < 300_000_000 => 64, < 1_000_000_000 => 16, < 5_000_000_000 => 8, _ => 2 };
    }

    private static int Run(Model model, int batch, int microBatch, int lanes, double seconds, bool layers, bool json, TextWriter output, TextWriter error)
    {
        if (batch < 1 || microBatch < 1 || batch % microBatch != 0)
            throw new UsageException($"--batch {batch} is not a whole number of micro-batches of {microBatch}; choose a multiple of --micro-batch.");
        if (lanes < 1 || lanes > 1024)
            throw new UsageException($"--lanes is {lanes}; it takes 1 to 1024.");
        if (!(seconds > 0 && seconds <= 3600))
            throw new UsageException($"--seconds is {seconds.ToString(CultureInfo.InvariantCulture)}; it takes more than 0, up to 3600.");

        TextWriter people = json ? error : output;
        Network network = model.Build(model.Input, model.Classes);
        if (layers)
        {
            IReadOnlyList<LayerMeasurement> times = LayerMeter.Measure(network, microBatch, TimeSpan.FromSeconds(seconds));
            LayerTable.Write(people, network, microBatch, times, PeakMeter.MultiplyAddPeak(), PeakMeter.CopyBandwidth(), json ? output : null);
            return ExitCode.Done;
        }

        // The steps first: so the first of them tells how long it takes from the start of the process.
        StepMeasurement step = StepMeter.Measure(network, batch, microBatch, lanes, TimeSpan.FromSeconds(seconds));
        TimeSpan coldStart = step.FirstStepEnded - Process.GetCurrentProcess().StartTime;
        long memory = Process.GetCurrentProcess().PeakWorkingSet64;
        double peak = PeakMeter.MultiplyAddPeak(), copy = PeakMeter.CopyBandwidth();
        double gemm = GemmMeter.Measure(1024);
        double share = step.Gflops / (peak * lanes);
        Line(people, $"vectors            {PeakMeter.VectorBits} bits");
        Line(people, $"peak, one thread   {peak,10:N1} GFLOP/s   fused multiply-add");
        Line(people, $"copy, one thread   {copy,10:N1} GB/s      read and written");
        Line(people, $"GEMM 1024³         {gemm,10:N1} GFLOP/s   {gemm / peak:P0} of the peak");
        Line(people, $"{network.Name,-18} {step.ImagesPerSecond,10:N0} images/s  training, batch {batch}, micro-batch {microBatch}, {lanes} lane{(lanes == 1 ? "" : "s")}");
        Line(people, $"                   {step.Gflops,10:N1} GFLOP/s   {share:P0} of {lanes} × the peak, median of {step.Steps} steps");
        Line(people, $"first step         {step.FirstStep.TotalMilliseconds,10:N0} ms        kernels compiled on the way; {coldStart.TotalMilliseconds:N0} ms after the process started");
        Line(people, $"memory             {memory / 1e6,10:N0} MB        at most, of the whole process while it trained");
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    command = "bench",
                    model = network.Name,
                    batch,
                    microBatch,
                    lanes,
                    imagesPerSecond = step.ImagesPerSecond,
                    gflops = step.Gflops,
                    peakGflops = peak,
                    shareOfPeak = share,
                    gemmGflops = gemm,
                    copyGigabytesPerSecond = copy,
                    vectorBits = PeakMeter.VectorBits,
                    firstStepMilliseconds = step.FirstStep.TotalMilliseconds,
                    coldStartMilliseconds = coldStart.TotalMilliseconds,
                    peakMemoryBytes = memory,
                },
                JsonText.Options));
        }

        return ExitCode.Done;
    }

    private static void Line(TextWriter writer, FormattableString text) => writer.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
