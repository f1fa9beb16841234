using ConvNet.Core.Optimizers;
using Xunit;

namespace ConvNet.Core.Tests.Optimizers;

public class SgdTests
{
    private const float Scale = 1f / 24, Rate = 0.05f;

    public static TheoryData<float, float, bool> Settings => new()
    {
        { 0, 0, false },
        { 0.9f, 0, false },
        { 0.9f, 0, true },
        { 0, 5e-4f, false },
        { 0.9f, 5e-4f, false },
        { 0.95f, 0.01f, true },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Twenty_steps_are_those_of_double_precision(float momentum, float decay, bool nesterov)
    {
        var state = new State(37);
        double[] weights = [.. state.Weights.Select(w => (double)w)], velocity = new double[37];
        var sgd = new Sgd(momentum, decay, nesterov);

        for (int step = 0; step < 20; step++)
        {
            float[] gradient = state.Gradient(step);
            sgd.Apply(state.Weights, gradient, state.Velocity, Scale, Rate);
            for (int i = 0; i < weights.Length; i++)
            {
                double g = (gradient[i] * (double)Scale) + (decay * (double)weights[i]);
                velocity[i] = (momentum * velocity[i]) + g;
                weights[i] -= Rate * (nesterov ? g + (momentum * velocity[i]) : velocity[i]);
            }
        }

        for (int i = 0; i < weights.Length; i++)
        {
            Assert.Equal(weights[i], state.Weights[i], 2e-6);
            Assert.Equal(velocity[i], state.Velocity[i], 2e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Every_line_is_one_fused_multiply_add(float momentum, float decay, bool nesterov)
    {
        var state = new State(53);
        float[] gradient = state.Gradient(1), w = [.. state.Weights], v = [.. state.Gradient(2)];
        v.CopyTo(state.Velocity, 0);
        for (int i = 0; i < w.Length; i++)
        {
            float g = MathF.FusedMultiplyAdd(decay, w[i], gradient[i] * Scale);
            v[i] = MathF.FusedMultiplyAdd(momentum, v[i], g);
            w[i] = MathF.FusedMultiplyAdd(-Rate, nesterov ? MathF.FusedMultiplyAdd(momentum, v[i], g) : v[i], w[i]);
        }

        new Sgd(momentum, decay, nesterov).Apply(state.Weights, gradient, state.Velocity, Scale, Rate);

        Assert.Equal(w, state.Weights);
        Assert.Equal(v, state.Velocity);
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Any_slicing_gives_the_same_bits(float momentum, float decay, bool nesterov)
    {
        const int Length = 131;
        var sgd = new Sgd(momentum, decay, nesterov);
        var whole = new State(Length);
        Steps(whole, [0, Length]);

        for (int cut = 0; cut <= Length; cut += 7)
        {
            var cutUp = new State(Length);
            Steps(cutUp, [0, cut / 3, cut, Length]);
            Assert.Equal(whole.Weights, cutUp.Weights);
            Assert.Equal(whole.Velocity, cutUp.Velocity);
        }

        void Steps(State state, int[] bounds)
        {
            for (int step = 0; step < 4; step++)
            {
                float[] gradient = state.Gradient(step);
                foreach ((int from, int to) in bounds.Zip(bounds.Skip(1)))
                    sgd.Apply(state.Weights.AsSpan(from..to), gradient.AsSpan(from..to), state.Velocity.AsSpan(from..to), Scale, Rate);
            }
        }
    }

    [Fact]
    public void Two_steps_worked_by_hand()
    {
        float[] weights = [1], velocity = [0];
        var sgd = new Sgd(Momentum: 0.5f, WeightDecay: 0);

        sgd.Apply(weights, [4], velocity, scale: 0.5f, rate: 0.25f);
        Assert.Equal((0.5f, 2f), (weights[0], velocity[0]));

        sgd.Apply(weights, [2], velocity, scale: 0.5f, rate: 0.25f);
        Assert.Equal((0f, 2f), (weights[0], velocity[0]));
    }

    [Fact]
    public void Nesterov_looks_ahead_along_the_momentum()
    {
        float[] weights = [1], velocity = [0];

        new Sgd(Momentum: 0.5f, WeightDecay: 0, Nesterov: true).Apply(weights, [4], velocity, scale: 0.5f, rate: 0.25f);

        Assert.Equal((0.25f, 2f), (weights[0], velocity[0]));
    }

    [Fact]
    public void Slices_of_two_lengths_are_refused()
    {
        var refusal = Assert.Throws<ArgumentException>(() => new Sgd(0, 0).Apply(new float[3], new float[2], new float[4], 1, 1));

        Assert.Equal("SGD takes three slices of one length; got weights 3, gradient 2, velocity 4.", refusal.Message);
    }

    [Fact]
    public void An_empty_slice_is_nothing_to_do() => new Sgd(0.9f, 0).Apply([], [], [], 1, 1);

    private sealed class State(int length)
    {
        public float[] Weights { get; } = Draw(length, 99);

        public float[] Velocity { get; } = new float[length];

        public float[] Gradient(int step) => Draw(length, step);

        private static float[] Draw(int length, int seed)
        {
            var random = new Random(seed);
            return [.. Enumerable.Range(0, length).Select(_ => (random.NextSingle() * 2) - 1)];
        }
    }
}
