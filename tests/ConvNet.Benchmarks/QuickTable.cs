using System.Diagnostics;
using System.Globalization;
using ConvNet.Core.Benchmarking;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Simd;

namespace ConvNet.Benchmarks;

/// <summary>GFLOP/s and share of the peak of each kernel, in seconds rather than minutes: the best of many short runs on one thread.</summary>
internal static class QuickTable
{
    private static double _peak;

    public static void Print(string only)
    {
        _peak = PeakMeter.MultiplyAddPeak();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Widest.Lanes} lanes, peak {_peak:F1} GFLOP/s a thread, copy {PeakMeter.CopyBandwidth():F1} GB/s"));
        MemoryTable.Print(only);
        foreach ((int m, int n, int k) in ((int, int, int)[])[(256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (128, 4096, 1152), (1000, 64, 512)])
        {
            if (!$"gemm {m}x{n}x{k}".Contains(only, StringComparison.Ordinal))
                continue;
            using var gemm = new GemmWork(m, n, k);
            Line($"gemm {m}x{n}x{k}", gemm.Run, gemm.Operations);
        }

        foreach ((string name, ConvolutionGeometry g, int blocks) in (((string, ConvolutionGeometry, int)[])
            [
                ("lenet conv1", ConvolutionWork.LeNet1, 4),
                ("lenet conv2", ConvolutionWork.LeNet2, 4),
                ("conv 3x3x64 on 56x56", ConvolutionWork.Square(64, 56), 1),
                ("conv 3x3x256 on 14x14", ConvolutionWork.Square(256, 14), 1),
                ("conv 3x3x512 on 7x7", ConvolutionWork.Square(512, 7), 1),
                ("conv 1x1x256 on 28x28", ConvolutionWork.Pointwise(256, 28), 1),
                ("conv 11x11 3 to 64, stride 4", ConvolutionWork.AlexNet1, 1),
            ]))
        {
            if (!name.Contains(only, StringComparison.Ordinal))
                continue;
            using var work = new ConvolutionWork(g, blocks);
            Line(name + " forward", work.Forward, work.Operations);
            Line(name + " input gradient", work.InputGradient, work.Operations);
            Line(name + " weight gradient", work.WeightGradientPass, work.Operations);
        }

        foreach ((string name, int inputs, int outputs, int samples) in ((string, int, int, int)[])
            [("alexnet fc6, 16 samples", 9216, 4096, 16), ("alexnet fc7, 16 samples", 4096, 4096, 16), ("vgg16 fc6, 2 samples", 25088, 4096, 2), ("googlenet fc, 8 samples", 1024, 1000, 8), ("lenet fc1, 32 samples", 400, 120, 32)])
        {
            if (!name.Contains(only, StringComparison.Ordinal))
                continue;
            using var work = new FullyConnectedWork(inputs, outputs, samples);
            Line(name + " forward", work.Forward, work.Operations);
            Line(name + " input gradient", work.InputGradient, work.Operations);
            Line(name + " weight gradient", work.WeightGradient, work.Operations);
        }
    }

    /// <summary>Processor time, not time on the wall: with neighbours on the same cores only the former says what the kernel costs.</summary>
    private static void Line(string name, Action run, double operations)
    {
        double best = double.PositiveInfinity;
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < 5 || clock.ElapsedMilliseconds < 700; i++)
        {
            TimeSpan start = Environment.CpuUsage.TotalTime;
            for (int repeat = 0; repeat < 1 + (int)(1e8 / operations); repeat++)
                run();
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - start).TotalSeconds / (1 + (int)(1e8 / operations)));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-46} {best * 1e3,9:F3} ms {operations / best / 1e9,8:F1} GFLOP/s {operations / best / 1e9 / _peak,7:P0}"));
    }
}
