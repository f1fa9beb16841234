using ConvNet.Core.Kernels.Normalisation;
using ConvNet.Core.Layers;
using ConvNet.Core.Memory;
using ConvNet.Core.Networks;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Layers;

public sealed unsafe class BatchNorm2DTests
{
    private static readonly Network Normalised = new NetworkBuilder("normalised", new Shape(2, 3, 3))
        .Add("bn", new BatchNorm2D()).Add("fc", new FullyConnected(3)).Build();

    [Fact]
    public void The_contribution_holds_mean_and_variance_of_each_channel_over_samples_and_pixels()
    {
        const int Samples = 5, Pixels = 9;
        using var workspace = new Workspace(new ExecutionPlan(Normalised, 20));
        float[][] channels = Fill(workspace, Samples);
        var contribution = new float[Normalised.Layout.Length];

        workspace.Train(Samples, Initial(), contribution);

        ReadOnlySpan<float> statistics = contribution.AsSpan(Normalised.ParameterCount, Normalised.StatisticCount);
        for (int c = 0; c < 2; c++)
        {
            double mean = channels[c].Average(v => (double)v), variance = channels[c].Sum(v => (v - mean) * (v - mean)) / ((Samples * Pixels) - 1);
            Assert.Equal(mean, statistics[c], 1e-6);
            Assert.Equal(variance, statistics[2 + c], 1e-6);
        }
    }

    [Fact]
    public void A_step_moves_the_running_statistics_towards_the_mean_over_its_micro_batches()
    {
        float[] running = [0, 0, 1, 1];

        Normalised.UpdateStatistics(running, [3, 6, 9, 3], microBatches: 3);

        Assert.Equal([0.1f, 0.2f, 1.2f, 1], running);
    }

    [Fact]
    public void Evaluation_uses_the_running_statistics_and_so_no_sample_depends_on_another()
    {
        float[] state = Initial();
        state.AsSpan(Normalised.ParameterCount).Clear();
        state.AsSpan(Normalised.ParameterCount + 2).Fill(4);
        using var workspace = new Workspace(new ExecutionPlan(Normalised, 20));
        float[] alone = new float[3], among = new float[5 * 3];
        Fill(workspace, 5);

        workspace.Predict(5, state, among);
        Fill(workspace, 5);
        workspace.Predict(1, state, alone);

        Assert.Equal(alone, among[..3]);
    }

    [Fact]
    public void Version_0_has_scale_1_and_offset_0_and_running_statistics_of_a_standard_normal()
    {
        float[] state = Initial();

        Assert.Equal([1, 1, 0, 0], state[..4]);
        Assert.Equal([0, 0, 1, 1], state[Normalised.ParameterCount..]);
    }

    [Fact]
    public void A_range_of_the_initial_state_is_the_same_as_the_whole_has_there()
    {
        float[] whole = Initial(), range = new float[9];

        Normalised.Initialize(whole.Length - 9, range, 7);

        Assert.Equal(whole[^9..], range);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(17, 9)]
    [InlineData(40, 6)]
    public void Every_width_gives_the_same_bits(int samples, int pixels)
    {
        const int Channels = 3;
        int blocks = SampleLanes.Blocks(samples), length = blocks * Channels * pixels * 16;
        var random = new Philox(3, Purpose.Test);
        using AlignedBuffer x = new(length), dy = new(length), numbers = new(8 * 16);
        for (int i = 0; i < length; i++)
            (x.Span[i], dy.Span[i]) = (random.Uniform(0, (ulong)i) - 0.3f, random.Uniform(1, (ulong)i) - 0.5f);
        for (int i = 0; i < 32; i++)
            numbers.Span[i] = random.Uniform(2, (ulong)i) + 0.5f;

        float[][] results = [.. new[] { 16, 8, 4 }.Select(width =>
        {
            using AlignedBuffer y = new(length), dx = new(length);
            var arguments = new BatchNormArguments
            {
                X = x.Pointer, Y = y.Pointer, Dy = dy.Pointer, Dx = dx.Pointer,
                Gamma = numbers.Pointer, Beta = numbers.Pointer + 16,
                Mean = numbers.Pointer + 32, InverseDeviation = numbers.Pointer + 48, Variance = numbers.Pointer + 64,
                GammaGradient = numbers.Pointer + 80, BetaGradient = numbers.Pointer + 96,
                Epsilon = 1e-5f, Channels = Channels, Pixels = pixels, Blocks = blocks, Samples = samples,
            };
            Widths.Run<BatchNormStatistics, BatchNormArguments>(width, arguments);
            Widths.Run<BatchNormApply, BatchNormArguments>(width, arguments);
            Widths.Run<BatchNormBackward, BatchNormArguments>(width, arguments);
            return (float[])[.. y.Span, .. dx.Span, .. numbers.Span];
        })];

        Numbers.AssertSameBits(results[0], results[1], "8 lanes");
        Numbers.AssertSameBits(results[0], results[2], "4 lanes");
    }

    private static float[] Initial()
    {
        var state = new float[Normalised.StateLength];
        Normalised.Initialize(state, 7);
        return state;
    }

    /// <summary>Random samples; returns what each channel holds.</summary>
    private static float[][] Fill(Workspace workspace, int samples)
    {
        var random = new Philox(1, Purpose.Test);
        double[] values = [.. Enumerable.Range(0, samples * 18).Select(i => (double)(3 * random.Uniform(0, (ulong)i)))];
        SampleLanes.Write(values, samples, workspace.Input[..(SampleLanes.Blocks(samples) * 18 * 16)]);
        workspace.Labels.Fill(-1);
        workspace.Labels[..samples].Clear();
        return [.. Enumerable.Range(0, 2).Select(c => values.Where((_, i) => i / 9 % 2 == c).Select(v => (float)v).ToArray())];
    }
}
