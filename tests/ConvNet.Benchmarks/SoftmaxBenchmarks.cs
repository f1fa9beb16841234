using BenchmarkDotNet.Attributes;
using ConvNet.Core.Kernels.Losses;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Benchmarks;

/// <summary>Softmax with cross-entropy of 64 samples, gradient and metrics included.</summary>
public unsafe class SoftmaxBenchmarks
{
    private const int Blocks = 4;
    private readonly int[] _labels = [.. Enumerable.Range(0, Blocks * Stripes.Count).Select(i => i % 10)];
    private readonly AlignedBuffer _logSums = new(Blocks * Stripes.Count);
    private AlignedBuffer? _logits, _gradient;

    [Params(10, 1000)]
    public int Classes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _logits = Made.Up(Blocks * Classes * Stripes.Count);
        _gradient = new AlignedBuffer(_logits.Length);
    }

    [Benchmark]
    public float LossAndGradient() =>
        SoftmaxCrossEntropy.Run(_logits!.Pointer, _labels, Classes, Blocks, _gradient!.Pointer, _logSums.Pointer).LossSum;
}
