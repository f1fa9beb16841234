using System.Diagnostics;
using System.Globalization;
using ConvNet.Core.Benchmarking;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Simd;

namespace ConvNet.Benchmarks;

/// <summary>GFLOP/s and share of the peak of each kernel, in seconds rather than minutes: the best of many short runs on one thread.</summary>
internal static class QuickTable
{
    private static double peak;

    public static void Print(string only)
    {
        peak = PeakMeter.MultiplyAddPeak();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Widest.Lanes} lanes, peak {peak:F1} GFLOP/s a thread, copy {PeakMeter.CopyBandwidth():F1} GB/s"));
        foreach ((int m, int n, int k) in ((int, int, int)[])[(256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (128, 4096, 1152), (1000, 64, 512)])
        {
            if (!$"gemm {m}x{n}x{k}".Contains(only, StringComparison.Ordinal))
                continue;
            using var gemm = new GemmWork(m, n, k);
            Line($"gemm {m}x{n}x{k}", gemm.Run, gemm.Operations);
        }

        foreach ((string name, ConvolutionGeometry g, int blocks) in (((string, ConvolutionGeometry, int)[])
            [("lenet conv1", ConvolutionWork.LeNet1, 4), ("lenet conv2", ConvolutionWork.LeNet2, 4), ("resnet 3x3x64", ConvolutionWork.ResNet, 1)]))
        {
            if (!name.Contains(only, StringComparison.Ordinal))
                continue;
            using var work = new ConvolutionWork(g, blocks);
            Line(name + " forward", work.Forward, work.Operations);
            Line(name + " input gradient", work.InputGradient, work.Operations);
            Line(name + " weight gradient", work.WeightGradientPass, work.Operations);
        }
    }

    private static void Line(string name, Action run, double operations)
    {
        double best = double.PositiveInfinity;
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < 30 || clock.ElapsedMilliseconds < 1000; i++)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-32} {best * 1e3,9:F3} ms {operations / best / 1e9,8:F1} GFLOP/s {operations / best / 1e9 / peak,7:P0}"));
    }
}
