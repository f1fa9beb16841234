using BenchmarkDotNet.Attributes;
using ConvNet.Core.Memory;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;

namespace ConvNet.Benchmarks;

/// <summary>One micro-batch of LeNet-5, forward and backward, on one thread; and the forward pass alone, as in an evaluation.</summary>
public class LeNetStepBenchmarks
{
    private Workspace _workspace = null!;
    private AlignedBuffer _weights = null!, _contribution = null!, _samples = null!;
    private readonly float[] _metrics = new float[ContributionLayout.MetricsLength];

    /// <summary>Samples of the micro-batch.</summary>
    [Params(16, 32, 128)]
    public int MicroBatch { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Network network = LeNet5.Modern(new Shape(1, 28, 28), 10);
        _workspace = new Workspace(new ExecutionPlan(network, MicroBatch));
        _weights = new AlignedBuffer(network.ParameterCount);
        network.Initialize(_weights.Span, seed: 1);
        _contribution = new AlignedBuffer(new ContributionLayout(network.ParameterCount, 0).Length);
        _samples = new AlignedBuffer(_workspace.Input.Length);
        for (int i = 0; i < _samples.Length; i++)
            _samples.Span[i] = (i % 17 / 8f) - 1;
        for (int i = 0; i < _workspace.Labels.Length; i++)
            _workspace.Labels[i] = i % 10;
    }

    [Benchmark]
    public void Train()
    {
        _samples.Span.CopyTo(_workspace.Input);
        _workspace.Train(MicroBatch, _weights.Span, _contribution.Span);
    }

    [Benchmark]
    public void Evaluate()
    {
        _samples.Span.CopyTo(_workspace.Input);
        _workspace.Evaluate(MicroBatch, _weights.Span, _metrics);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _workspace.Dispose();
        _weights.Dispose();
        _contribution.Dispose();
        _samples.Dispose();
    }
}
