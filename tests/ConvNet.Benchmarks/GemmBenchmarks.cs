using BenchmarkDotNet.Attributes;

namespace ConvNet.Benchmarks;

/// <summary>C = A·B of square matrices.</summary>
public class GemmBenchmarks
{
    private GemmWork? _work;

    [Params(64, 256, 512, 1024)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup() => _work = new GemmWork(Size, Size, Size);

    [GlobalCleanup]
    public void Cleanup() => _work!.Dispose();

    [Benchmark]
    public void Multiply() => _work!.Run();
}
