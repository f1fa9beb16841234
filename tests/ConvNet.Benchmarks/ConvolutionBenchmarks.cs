using BenchmarkDotNet.Attributes;

namespace ConvNet.Benchmarks;

/// <summary>The three passes of a convolution over blocks of 16 samples.</summary>
public class ConvolutionBenchmarks
{
    private ConvolutionWork? _work;

    /// <summary>LeNet's two layers, and 3×3 with 64 channels on 56×56.</summary>
    [Params("lenet1", "lenet2", "3x3x64")]
    public string Layer { get; set; } = "";

    [GlobalSetup]
    public void Setup() => _work = Layer switch
    {
        "lenet1" => new ConvolutionWork(ConvolutionWork.LeNet1, blocks: 4),
        "lenet2" => new ConvolutionWork(ConvolutionWork.LeNet2, blocks: 4),
        _ => new ConvolutionWork(ConvolutionWork.Square(64, 56), blocks: 1),
    };

    [GlobalCleanup]
    public void Cleanup() => _work!.Dispose();

    [Benchmark]
    public void PackWeights() => _work!.Pack();

    [Benchmark]
    public void Forward() => _work!.Forward();

    [Benchmark]
    public void InputGradient() => _work!.InputGradient();

    [Benchmark]
    public void WeightGradient() => _work!.WeightGradientPass();
}
