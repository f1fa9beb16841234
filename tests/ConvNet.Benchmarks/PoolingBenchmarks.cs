using BenchmarkDotNet.Attributes;
using ConvNet.Core.Kernels.Pooling;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Benchmarks;

/// <summary>2×2 pooling of 6 channels of 28×28, 64 samples: LeNet's first.</summary>
public unsafe class PoolingBenchmarks
{
    private const int Planes = 6 * 4, Size = 28;
    private readonly AlignedBuffer _x = Made.Up(Planes * Size * Size * Stripes.Count), _dx = new(Planes * Size * Size * Stripes.Count);
    private readonly AlignedBuffer _y = Made.Up(Planes * Size * Size * Stripes.Count / 4), _dy = Made.Up(Planes * Size * Size * Stripes.Count / 4);

    private PoolingArguments Arguments =>
        new(_x.Pointer, _y.Pointer, _dy.Pointer, _dx.Pointer, Planes, Size, Size, new Window(2, Stride: 2), new Window(2, Stride: 2));

    [Benchmark]
    public void MaximumForward() => Widest.Run<MaxPoolingForward, PoolingArguments>(Arguments);

    [Benchmark]
    public void MaximumBackward() => Widest.Run<MaxPoolingBackward, PoolingArguments>(Arguments);

    [Benchmark]
    public void AverageForward() => Widest.Run<AveragePoolingForward, PoolingArguments>(Arguments);

    [Benchmark]
    public void AverageBackward() => Widest.Run<AveragePoolingBackward, PoolingArguments>(Arguments);
}
