using ConvNet.Core.Memory;
using ConvNet.Core.Optimizers;
using Xunit;

namespace ConvNet.Core.Tests.Optimizers;

/// <summary>All optimizers but SGD, which has tests of its own: against their formulas in double precision, at all widths, in any slices.</summary>
public class OptimizerTests
{
    private const float Scale = 1f / 24, Rate = 0.01f;

    /// <summary>The optimizers by a name, since xUnit shows it.</summary>
    private static readonly Dictionary<string, Optimizer> Optimizers = new()
    {
        ["adam"] = new Adam(),
        ["adam with decay"] = new Adam(0.8, 0.95, 1e-4, 0.02f),
        ["adamw"] = new AdamW(),
        ["adamw with much decay"] = new AdamW(0.8, 0.95, 1e-4, 0.3f),
        ["rmsprop"] = new RmsProp(),
        ["rmsprop with momentum"] = new RmsProp(0.9, 1e-3, 0.8f, 0.01f),
        ["adagrad"] = new Adagrad(),
        ["adagrad with decay"] = new Adagrad(1e-3, 0.02f),
        ["lars"] = new Lars(),
        ["lars with decay"] = new Lars(0.5f, 0.05f),
    };

    public static TheoryData<string> All => [.. Optimizers.Keys];

    [Theory]
    [MemberData(nameof(All))]
    public void Thirty_steps_are_those_of_the_formula_in_double_precision(string name)
    {
        Optimizer optimizer = Optimizers[name];
        var slices = new Slices(37);
        double[] weights = [.. slices.Weights.Select(w => (double)w)], first = new double[37], second = new double[37];

        for (int step = 0; step < 30; step++)
        {
            float[] gradient = Slices.Draw(37, step);
            optimizer.Apply(slices.With(gradient), new(step, Scale, Rate, Trust: 0.5f));
            for (int i = 0; i < weights.Length; i++)
                Formula(optimizer, step + 1, gradient[i] / 24.0, ref weights[i], ref first[i], ref second[i]);
        }

        for (int i = 0; i < weights.Length; i++)
        {
            Assert.Equal(weights[i], slices.Weights[i], 1e-5);
            Assert.Equal(first[i], slices.First[i], 1e-5);
            Assert.Equal(second[i], slices.Second[i], 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Any_slicing_gives_the_same_bits(string name)
    {
        const int Length = 67;
        Optimizer optimizer = Optimizers[name];
        Slices whole = Steps([0, Length]);
        for (int cut = 0; cut <= Length; cut += 5)
        {
            Slices cutUp = Steps([0, cut / 3, cut, Length]);
            Assert.Equal(whole.Weights, cutUp.Weights);
            Assert.Equal(whole.First, cutUp.First);
            Assert.Equal(whole.Second, cutUp.Second);
        }

        Slices Steps(int[] bounds)
        {
            var slices = new Slices(Length);
            for (int step = 0; step < 4; step++)
            {
                float[] gradient = Slices.Draw(Length, step);
                foreach ((int from, int to) in bounds.Zip(bounds.Skip(1)))
                    optimizer.Apply(slices.With(gradient).Slice(from, to - from), new(step, Scale, Rate, Trust: 0.5f));
            }

            return slices;
        }
    }

    [Fact]
    public void All_widths_give_the_same_bits()
    {
        var step = new OptimizerStep(3, Scale, Rate, Trust: 0.3f);
        SameBits<AdamRule, AdamConstants>(new(step, 0.9, 0.999, 1e-8, 1, 0.01f), 2);
        SameBits<AdamRule, AdamConstants>(new(step, 0.9, 0.999, 1e-8, 0.99f, 0), 2);
        SameBits<RmsProp.Rule, RmsProp.Constants>(new(step, new RmsProp(WeightDecay: 0.1f)), 1);
        SameBits<RmsProp.Rule, RmsProp.Constants>(new(step, new RmsProp(Momentum: 0.9f)), 2);
        SameBits<Adagrad.Rule, Adagrad.Constants>(new(step, new Adagrad(WeightDecay: 0.1f)), 1);
        SameBits<Lars.Rule, Lars.Constants>(new(step, new Lars()), 1);
    }

    [Fact]
    public void The_trust_of_Lars_is_in_proportion_to_the_weights()
    {
        var lars = new Lars(WeightDecay: 0.01f, TrustCoefficient: 0.02, Epsilon: 0);

        Assert.Equal((float)(0.02 * 3 / (0.5 + ((double)0.01f * 3))), lars.Trust(weightNorm: 3, gradientNorm: 0.5));
        Assert.Equal(1, lars.Trust(weightNorm: 0, gradientNorm: 0.5));
        Assert.Equal(1, lars.Trust(weightNorm: 3, gradientNorm: 0));
    }

    [Fact]
    public void Adam_takes_a_first_step_of_the_rate_whatever_the_gradient()
    {
        float[] weights = [1, 1, 1], gradient = [1e-3f, -5, 700];

        new Adam(Epsilon: 1e-12).Apply(new(weights, gradient, new float[3], new float[3]), new(0, 1, 0.25f));

        Assert.Equal([0.75f, 1.25f, 0.75f], weights.Select(w => MathF.Round(w, 5)));
    }

    [Fact]
    public void Decay_can_be_taken_off_any_optimizer() =>
        Assert.All(Optimizers.Values, optimizer => Assert.Equal(0, (optimizer with { WeightDecay = 0 }).WeightDecay));

    [Fact]
    public void Slices_of_two_lengths_are_refused()
    {
        var refusal = Assert.Throws<ArgumentException>(() => new Adam().Apply(new(new float[3], new float[3], new float[3], new float[2]), default));

        Assert.Equal("Adam takes slices of one length; got weights 3, gradient 3, state 3 and 2.", refusal.Message);
    }

    private static void Formula(Optimizer optimizer, int t, double gradient, ref double w, ref double first, ref double second)
    {
        double l2 = gradient + (optimizer.WeightDecay * w);
        switch (optimizer)
        {
            case Adam a:
                w = AdamStep(l2, w, a.Beta1, a.Beta2, a.Epsilon, t, ref first, ref second);
                break;
            case AdamW a:
                w = AdamStep(gradient, w - (Rate * a.WeightDecay * w), a.Beta1, a.Beta2, a.Epsilon, t, ref first, ref second);
                break;
            case RmsProp r:
                first = (r.Alpha * first) + ((1 - r.Alpha) * l2 * l2);
                double step = l2 / (Math.Sqrt(first) + r.Epsilon);
                if (r.Momentum > 0)
                    step = second = (r.Momentum * second) + step;
                w -= Rate * step;
                break;
            case Adagrad a:
                first += l2 * l2;
                w -= Rate * l2 / (Math.Sqrt(first) + a.Epsilon);
                break;
            case Lars l:
                first = (l.Momentum * first) + (0.5 * l2);
                w -= Rate * first;
                break;
        }
    }

    private static double AdamStep(double g, double w, double beta1, double beta2, double epsilon, int t, ref double m, ref double v)
    {
        m = (beta1 * m) + ((1 - beta1) * g);
        v = (beta2 * v) + ((1 - beta2) * g * g);
        return w - (Rate * (m / (1 - Math.Pow(beta1, t))) / (Math.Sqrt(v / (1 - Math.Pow(beta2, t))) + epsilon));
    }

    private static unsafe void SameBits<TRule, TConstants>(TConstants constants, int planes)
        where TRule : struct, IUpdateRule<TConstants>
        where TConstants : struct
    {
        const int Length = 45;
        float[]? expected = null;
        foreach (int width in new[] { 16, 8, 4 })
        {
            // Weights, gradient and planes side by side; planes hold squares, which are not negative.
            using AlignedBuffer all = Numbers.Uniform(4 * 48, 7);
            foreach (ref float value in all.Span[96..])
                value *= value;
            float* w = all.Pointer;
            var arguments = new UpdateArguments<TConstants>(w, w + 48, w + 96, planes > 1 ? w + 144 : null, Length, constants);
            Widths.Run<UpdateKernel<TRule, TConstants>, UpdateArguments<TConstants>>(width, arguments);
            expected ??= all.Span.ToArray();
            Numbers.AssertSameBits(expected, all.Span, $"{typeof(TRule)} at width {width}");
        }
    }

    private sealed class Slices(int length)
    {
        public float[] Weights { get; } = Draw(length, 99);

        public float[] First { get; } = new float[length];

        public float[] Second { get; } = new float[length];

        public OptimizerSlice With(float[] gradient) => new(Weights, gradient, First, Second);

        public static float[] Draw(int length, int seed)
        {
            var random = new Random(seed);
            return [.. Enumerable.Range(0, length).Select(_ => (random.NextSingle() * 2) - 1)];
        }
    }
}
