using System.Diagnostics;
using ConvNet.Core.Layers;
using ConvNet.Core.Memory;
using ConvNet.Core.Networks;
using ConvNet.Core.Randomness;
using ConvNet.Core.Training;

namespace ConvNet.Core.Benchmarking;

/// <summary>What one layer's passes over a micro-batch cost, on one thread.</summary>
/// <param name="Name">The layer's name.</param>
/// <param name="Kind">The layer's kind: <c>Conv2D</c>.</param>
/// <param name="Output">The output's shape.</param>
/// <param name="Forward">Seconds of the forward pass, the median.</param>
/// <param name="Backward">Seconds of the backward pass, the median.</param>
/// <param name="ForwardOperations">Arithmetic of the forward pass that the definition asks for, a multiply-add being two; 0 for layers that only move or compare.</param>
/// <param name="BackwardOperations">The same of the backward pass.</param>
/// <param name="ForwardBytes">Bytes that the forward pass reads and writes at least: inputs, output and parameters once.</param>
/// <param name="BackwardBytes">The same of the backward pass.</param>
public sealed record LayerMeasurement(
    string Name, string Kind, string Output, double Forward, double Backward, double ForwardOperations, double BackwardOperations, double ForwardBytes, double BackwardBytes);

/// <summary>Measures each layer of a network in the midst of whole training passes, so that caches are as they are in training.</summary>
public static class LayerMeter
{
    /// <summary>Times passes over one micro-batch for about <paramref name="duration"/>, after a warm-up.</summary>
    public static IReadOnlyList<LayerMeasurement> Measure(Network network, int microBatch, TimeSpan duration)
    {
        var plan = new ExecutionPlan(network, microBatch);
        using var workspace = new Workspace(plan);
        using var weights = new AlignedBuffer(network.StateLength);
        using var contribution = new AlignedBuffer(network.Layout.Length);
        network.Initialize(weights.Span, seed: 1);
        var times = new PassTimes(plan.Steps.Count);
        workspace.Times = times;
        int warmUps = 0;
        for (long start = Stopwatch.GetTimestamp(); warmUps < 2 || Stopwatch.GetElapsedTime(start) < duration / 3; warmUps++)
            Pass(workspace, network, microBatch, weights, contribution);
        times.Clear();
        int passes = 0;
        for (long start = Stopwatch.GetTimestamp(); passes < 3 || Stopwatch.GetElapsedTime(start) < duration; passes++)
            Pass(workspace, network, microBatch, weights, contribution);
        return [.. plan.Steps.Select((step, i) => Row(step, microBatch, times.Forward(i), times.Backward(i)))];
    }

    private static LayerMeasurement Row(ExecutionPlan.Step step, int samples, double forward, double backward)
    {
        Node node = step.Node;
        double operations = 2.0 * samples * node.Layer.MultiplyAdds(node.InputShapes);
        double x = 4.0 * samples * node.InputShapes.Sum(s => s.Elements), y = 4.0 * samples * node.Output.Elements, w = 4.0 * node.ParameterCount;
        bool wantsInput = step.InputGradients.Any(g => g != null);
        double read = (step.Operation.BackwardReadsInput ? x : 0) + (step.Operation.BackwardReadsOutput ? y : 0);
        return new LayerMeasurement(
            node.Name, node.Layer.GetType().Name, node.Output.ToString(), forward, backward, operations, operations * (wantsInput ? 2 : 1),
            step.ForwardDone ? 0 : x + y + w, y + read + (wantsInput ? x : 0) + (w * (wantsInput ? 2 : 1)));
    }

    private static void Pass(Workspace workspace, Network network, int samples, AlignedBuffer weights, AlignedBuffer contribution)
    {
        var random = new Philox(1, Purpose.Test);
        for (int i = 0; i < workspace.Input.Length; i++)
            workspace.Input[i] = random.Uniform(0, (ulong)i) - 0.5f;
        for (int i = 0; i < workspace.Labels.Length; i++)
            workspace.Labels[i] = i < samples ? i % network.Classes : -1;
        workspace.Train(samples, weights.Span, contribution.Span, new TrainingPass(Seed: 1, Step: 0, FirstSample: 0));
    }
}
