using System.Diagnostics;
using System.Globalization;
using ConvNet.Core.Benchmarking;
using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Kernels.Normalisation;
using ConvNet.Core.Kernels.Pooling;
using ConvNet.Core.Memory;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Benchmarks;

/// <summary>GB/s of the kernels that move more than they compute, beside copying: the bytes that a pass must read and write at least, each once.</summary>
/// <remarks>ResNet-18's first activation at 8 samples, 64 channels of 112×112: 26 MB, larger than the caches. Copying is measured before each line, because it varies with what else runs.</remarks>
internal static unsafe class MemoryTable
{
    private const int Samples = 8, Channels = 64, Size = 112, Pixels = Size * Size, Floats = Samples * Channels * Pixels;

    public static void Print(string only)
    {
        using AlignedBuffer x = Made.Up(Floats), y = new(Floats), dy = Made.Up(Floats), dx = new(Floats), numbers = Made.Up(8 * Channels);
        float* n = numbers.Pointer;
        var norm = new BatchNormArguments
        {
            X = x.Pointer,
            Y = y.Pointer,
            Dy = dy.Pointer,
            Dx = dx.Pointer,
            Gamma = n,
            Beta = n + Channels,
            GammaGradient = n + (2 * Channels),
            BetaGradient = n + (3 * Channels),
            Mean = n + (4 * Channels),
            InverseDeviation = n + (5 * Channels),
            Variance = n + (6 * Channels),
            Epsilon = 1e-5f,
            Channels = Channels,
            Pixels = Pixels,
            Blocks = 1,
            Samples = Samples,
        };
        const double tensor = 4.0 * Floats;
        Line("batch normalisation forward", 2 * tensor, () =>
        {
            for (int first = 0; first < Channels; first += Stripes.Count)
            {
                var group = norm with { FirstChannel = first, EndChannel = first + Stripes.Count };
                Widest.Run<ChannelBatchNormStatistics, BatchNormArguments>(group);
                Widest.Run<ChannelBatchNormApply, BatchNormArguments>(group);
            }
        });
        Line("batch normalisation backward", 3 * tensor, () => Widest.Run<ChannelBatchNormBackward, BatchNormArguments>(norm));
        Line("relu forward", 2 * tensor, () => Widest.Run<ReluForward, ElementwiseArguments>(new(x.Pointer, null, y.Pointer, Floats)));
        Line("relu backward", 3 * tensor, () => Widest.Run<ReluBackward, ElementwiseArguments>(new(x.Pointer, dy.Pointer, dx.Pointer, Floats)));
        Line("add", 3 * tensor, () => Widest.Run<AddKernel, ElementwiseArguments>(new(x.Pointer, dy.Pointer, dx.Pointer, Floats)));
        foreach (var (kernel, stride, before) in ((int, int, int)[])[(2, 2, 0), (3, 2, 1), (3, 1, 1)])
        {
            var window = new Window(kernel, stride, before, before);
            var pooling = new PoolingArguments(x.Pointer, y.Pointer, dy.Pointer, dx.Pointer, Samples * Channels / Stripes.Count, Size, Size, window, window);
            Line($"max pooling {kernel}×{kernel}, stride {stride} forward", tensor * (1 + (1.0 / (stride * stride))), () => Widest.Run<MaxPoolingForward, PoolingArguments>(pooling));
            Line($"max pooling {kernel}×{kernel}, stride {stride} backward", tensor * 2 * (1 + (1.0 / (stride * stride))), () => Widest.Run<MaxPoolingBackward, PoolingArguments>(pooling));
        }

        var sgd = new Sgd(0.9f, 0.0005f);
        Line("SGD with momentum", 5 * tensor, () => sgd.Apply(x.Span, dy.Span, dx.Span, scale: 0.1f, rate: 1e-7f));

        void Line(string name, double bytes, Action run)
        {
            if (!$"memory {name}".Contains(only, StringComparison.Ordinal))
                return;
            double copy = PeakMeter.CopyBandwidth(), best = double.PositiveInfinity;
            var clock = Stopwatch.StartNew();
            for (int i = 0; i < 5 || clock.ElapsedMilliseconds < 500; i++)
            {
                long start = Stopwatch.GetTimestamp();
                run();
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-46} {best * 1e3,9:F3} ms {bytes / best / 1e9,8:F1} GB/s {bytes / best / 1e9 / copy,12:P0} of copying"));
        }
    }
}
