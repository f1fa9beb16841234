using System.Globalization;
using System.Text.Json;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport.Tcp;
using ConvNet.Core.Benchmarking;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>The processes that the benchmark starts: a node with one lane and with shards, which also measures steps without any cluster.</summary>
/// <remarks>It does what the lines of its input say, answers each with a line, and ends when its input does.</remarks>
internal static class ScalingNode
{
    public static async Task RunAsync(string seed)
    {
        using var transport = new TcpTransport(new());
        var recorder = new StepRecorder(() => transport.Counters.BytesSent.Value + transport.Counters.BytesTaken.Value);
        var options = new NodeOptions { Roles = [NodeRole.Server, NodeRole.Worker], Port = 0, Lanes = 1, Seeds = [seed] };
        var parts = new NodeParts(new SyntheticRuntimes(recorder), transport, new DedicatedThreads(), options.Lanes, Fault.None, Ledger: null);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddClusterNode(options, parts, manager: null, removed: () => { });
        using var host = builder.Build();
        await host.StartAsync();

        while (await Console.In.ReadLineAsync() is { } line)
            Console.WriteLine(JsonSerializer.Serialize(Do(line.Split(' '), recorder)));
        Environment.Exit(0);   // with its cluster, which it needs not leave
    }

    private static object Do(string[] words, StepRecorder recorder)
    {
        switch (words)
        {
            case ["begin"]:
                recorder.Begin();
                return true;
            case ["read"]:
                return recorder.Read();
            case ["alone", var name, var seconds]:
                var scaled = ScalingNetworks.Find(name);
                return StepMeter.Measure(scaled.Network, scaled.Batch, scaled.MicroBatch, lanes: 1, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));
            default:
                throw new ArgumentException($"What is '{string.Join(' ', words)}'?");
        }
    }
}
