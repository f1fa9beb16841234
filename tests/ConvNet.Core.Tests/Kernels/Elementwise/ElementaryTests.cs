using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tests.Layers;

namespace ConvNet.Core.Tests.Kernels.Elementwise;

/// <summary>Errors in units in the last place of the exact result, over dense ranges; and the same bits at every width.</summary>
public sealed unsafe class ElementaryTests
{
    private const double Ulps = 2;

    public static TheoryData<int> Widths => Tests.Widths.All;

    [Fact]
    public void Exp_is_within_two_units_in_the_last_place()
    {
        AssertClose<ExpKernel>(Between(-87.3f, 88, 400_000), Math.Exp, Ulps);
        AssertClose<ExpKernel>(Between(-1, 1, 400_000), Math.Exp, Ulps);
    }

    [Fact]
    public void Exp_saturates_and_lets_nan_through()
    {
        float[] y = Run<ExpKernel>(16, [-1e4f, -88, float.NegativeInfinity, 1e4f, 89, float.PositiveInfinity, float.NaN, 0, -0f]);

        Assert.All(y[..3], v => Assert.InRange(v, 1.17e-38f, 1.3e-38f));
        Assert.All(y[3..6], v => Assert.InRange(v, 1.6e38f, 1.8e38f));
        Assert.True(float.IsNaN(y[6]));
        Assert.Equal([1, 1], y[7..]);
    }

    [Fact]
    public void Exp_minus_one_is_within_two_units_in_the_last_place_near_zero_too()
    {
        AssertClose<ExpMinusOneKernel>(Between(-30, 88, 400_000), ExpMinusOne, Ulps);
        AssertClose<ExpMinusOneKernel>(Between(-1, 1, 400_000), ExpMinusOne, Ulps);
        AssertClose<ExpMinusOneKernel>([.. Powers(1e-30, 1, 100_000).SelectMany(x => (float[])[x, -x])], ExpMinusOne, Ulps);
    }

    [Fact]
    public void Exp_minus_one_saturates_and_lets_nan_through()
    {
        float[] y = Run<ExpMinusOneKernel>(16, [-1e4f, float.NegativeInfinity, 1e4f, float.PositiveInfinity, float.NaN]);

        Assert.Equal([-1, -1], y[..2]);
        Assert.All(y[2..4], v => Assert.InRange(v, 1.6e38f, 1.8e38f));
        Assert.True(float.IsNaN(y[4]));
    }

    [Fact]
    public void The_normal_distribution_is_within_seven_units_in_the_last_place_in_both_tails()
    {
        AssertClose<NormalKernel>(Between(-12, 12, 400_000), NormalDistribution.Probability, 7);
        AssertClose<NormalKernel>(Powers(1e-30, 1, 100_000), NormalDistribution.Probability, 7);
        AssertClose<DensityKernel>(Between(-12, 12, 400_000), NormalDistribution.Density, 4);
    }

    [Fact]
    public void The_normal_distribution_saturates_and_lets_nan_through()
    {
        float[] y = Run<NormalKernel>(16, [0, -0f, 40, float.PositiveInfinity, -40, -1e30f, float.NegativeInfinity, float.NaN]);

        Assert.Equal([0.5f, 0.5f, 1, 1], y[..4]);
        Assert.All(y[4..7], v => Assert.InRange(v, 0, 1e-37f));
        Assert.True(float.IsNaN(y[7]));
    }

    [Fact]
    public void Log_is_within_two_units_in_the_last_place()
    {
        AssertClose<LogKernel>(Between(0.25f, 4, 400_000), Math.Log, Ulps);
        AssertClose<LogKernel>(Between(1, 1e6f, 400_000), Math.Log, Ulps);
        AssertClose<LogKernel>(Powers(1.18e-38, 3.4e38, 400_000), Math.Log, Ulps);
    }

    [Fact]
    public void Tanh_is_within_two_units_in_the_last_place()
    {
        AssertClose<TanhKernel>(Between(-12, 12, 400_000), Math.Tanh, Ulps);
        AssertClose<TanhKernel>(Powers(1e-30, 100, 100_000), Math.Tanh, Ulps);
    }

    [Fact]
    public void Tanh_saturates_at_one_keeps_the_sign_and_lets_nan_through()
    {
        float[] y = Run<TanhKernel>(16, [50, -50, float.PositiveInfinity, float.NegativeInfinity, float.NaN, -0f]);

        Assert.Equal([1, -1, 1, -1], y[..4]);
        Assert.True(float.IsNaN(y[4]));
        Assert.True(float.IsNegative(y[5]) && y[5] == 0);
    }

    [Fact]
    public void The_logistic_function_is_within_three_units_in_the_last_place() =>
        AssertClose<LogisticKernel>(Between(-87, 30, 400_000), x => 1 / (1 + Math.Exp(-x)), 3);

    [Fact]
    public void The_logistic_function_saturates_and_lets_nan_through()
    {
        float[] y = Run<LogisticKernel>(16, [0, 100, -100, float.PositiveInfinity, float.NegativeInfinity, float.NaN]);

        Assert.Equal([0.5f, 1], y[..2]);
        Assert.InRange(y[2], 0, 1e-37f);
        Assert.Equal(1, y[3]);
        Assert.InRange(y[4], 0, 1e-37f);
        Assert.True(float.IsNaN(y[5]));
    }

    [Fact]
    public void Every_width_gives_the_same_bits()
    {
        float[] x = [.. Between(-100, 100, 40_000), .. Powers(1e-37, 1e37, 20_000), float.NaN, 0, -0f, float.PositiveInfinity, float.NegativeInfinity];
        SameBits<ExpKernel>(x);
        SameBits<TanhKernel>(x);
        SameBits<LogisticKernel>(x);
        SameBits<ExpMinusOneKernel>(x);
        SameBits<NormalKernel>(x);
        SameBits<DensityKernel>(x);
        SameBits<LogKernel>([.. x.Where(float.IsNormal).Select(Math.Abs)]);
    }

    private static void SameBits<TKernel>(float[] x)
        where TKernel : struct, IKernel<ElementwiseArguments>
    {
        float[] expected = Run<TKernel>(4, x);
        Numbers.AssertSameBits(expected, Run<TKernel>(8, x), $"{typeof(TKernel).Name} at 8 against 4");
        Numbers.AssertSameBits(expected, Run<TKernel>(16, x), $"{typeof(TKernel).Name} at 16 against 4");
    }

    private static void AssertClose<TKernel>(float[] x, Func<double, double> exact, double ulps)
        where TKernel : struct, IKernel<ElementwiseArguments>
    {
        float[] y = Run<TKernel>(16, x);
        (double worst, float at) = (0, 0);
        for (int i = 0; i < x.Length; i++)
        {
            double should = exact(x[i]);
            double unit = Math.Abs((double)MathF.BitIncrement(MathF.Abs((float)should)) - MathF.Abs((float)should));
            double error = Math.Abs(y[i] - should) / unit;
            if (!(error <= worst))
                (worst, at) = (error, x[i]);
        }

        Assert.True(worst <= ulps, $"{typeof(TKernel).Name} is {worst:F2} units in the last place off at {at:R}.");
    }

    private static float[] Run<TKernel>(int width, float[] x)
        where TKernel : struct, IKernel<ElementwiseArguments>
    {
        int length = (x.Length + Stripes.Count - 1) / Stripes.Count * Stripes.Count;
        using var from = new AlignedBuffer(length);
        using var to = new AlignedBuffer(length);
        x.CopyTo(from.Span);
        Tests.Widths.Run<TKernel, ElementwiseArguments>(width, new ElementwiseArguments(from.Pointer, null, to.Pointer, length));
        return to.Span[..x.Length].ToArray();
    }

    private static double ExpMinusOne(double x) => 2 * Math.Sinh(x / 2) * Math.Exp(x / 2);

    private static float[] Between(float from, float to, int count) =>
        [.. Enumerable.Range(0, count).Select(i => from + (float)((double)(to - from) * i / (count - 1)))];

    private static float[] Powers(double from, double to, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (float)(from * Math.Pow(to / from, (double)i / (count - 1))))];

    private readonly struct ExpKernel : IKernel<ElementwiseArguments>
    {
        public static void Run<TVector, TOps>(in ElementwiseArguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            for (int i = 0; i < a.Length; i += TOps.Count)
                TOps.Store(Elementary<TVector, TOps>.Exp(TOps.Load(a.First + i)), a.Result + i);
        }
    }

    private readonly struct LogKernel : IKernel<ElementwiseArguments>
    {
        public static void Run<TVector, TOps>(in ElementwiseArguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            for (int i = 0; i < a.Length; i += TOps.Count)
                TOps.Store(Elementary<TVector, TOps>.Log(TOps.Load(a.First + i)), a.Result + i);
        }
    }

    private readonly struct ExpMinusOneKernel : IKernel<ElementwiseArguments>
    {
        public static void Run<TVector, TOps>(in ElementwiseArguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            for (int i = 0; i < a.Length; i += TOps.Count)
                TOps.Store(Elementary<TVector, TOps>.ExpMinusOne(TOps.Load(a.First + i)), a.Result + i);
        }
    }

    private readonly struct NormalKernel : IKernel<ElementwiseArguments>
    {
        public static void Run<TVector, TOps>(in ElementwiseArguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            for (int i = 0; i < a.Length; i += TOps.Count)
                TOps.Store(Elementary<TVector, TOps>.NormalProbability(TOps.Load(a.First + i), out _), a.Result + i);
        }
    }

    private readonly struct DensityKernel : IKernel<ElementwiseArguments>
    {
        public static void Run<TVector, TOps>(in ElementwiseArguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            for (int i = 0; i < a.Length; i += TOps.Count)
            {
                Elementary<TVector, TOps>.NormalProbability(TOps.Load(a.First + i), out TVector density);
                TOps.Store(density, a.Result + i);
            }
        }
    }

    private readonly struct TanhKernel : IKernel<ElementwiseArguments>
    {
        public static void Run<TVector, TOps>(in ElementwiseArguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector> => TanhForward.Run<TVector, TOps>(in a);
    }

    private readonly struct LogisticKernel : IKernel<ElementwiseArguments>
    {
        public static void Run<TVector, TOps>(in ElementwiseArguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector> => SigmoidForward.Run<TVector, TOps>(in a);
    }
}
