using ConvNet.Core.Kernels.Losses;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.Losses;

public sealed unsafe class SoftmaxCrossEntropyTests
{
    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void Loss_probabilities_and_ranks_are_near_those_in_double_precision(int width)
    {
        foreach ((int classes, int blocks, float scale) in ((int, int, float)[])[(1, 1, 1), (2, 1, 1), (10, 2, 3), (10, 1, 50), (37, 1, 10), (1000, 1, 5), (10, 1, 1e4f)])
        {
            using AlignedBuffer z = Logits(classes, blocks, scale);
            int[] labels = [.. Enumerable.Range(0, blocks * Stripes.Count).Select(i => i * 7 % classes)];
            (double loss, int top1, int top5, double[] gradient) = Textbook(z.Span, labels, classes, blocks);

            (SoftmaxCrossEntropy.Result result, float[] dz) = Run(width, z, labels, classes, blocks);

            Assert.InRange(result.LossSum, loss - (1e-5 * Math.Max(1, loss)), loss + (1e-5 * Math.Max(1, loss)));
            Assert.Equal((top1, top5, labels.Length), (result.Top1, result.Top5, result.Samples));
            Numbers.AssertNear(gradient, dz, 1e-6, $"{classes} classes × {scale}, width {width}");
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(8)]
    public void Every_width_gives_the_same_bits(int width)
    {
        foreach (float scale in (float[])[1, 30, 1e4f])
        {
            using AlignedBuffer z = Logits(10, 2, scale);
            z.Span[40] = float.NaN;
            int[] labels = [.. Enumerable.Range(0, 32).Select(i => i % 11 - 1)];

            (SoftmaxCrossEntropy.Result expected, float[] expectedDz) = Run(4, z, labels, 10, 2);
            (SoftmaxCrossEntropy.Result actual, float[] dz) = Run(width, z, labels, 10, 2);

            Numbers.AssertSameBits(expectedDz, dz, $"gradient at {width} against 4");
            Numbers.AssertSameBits([expected.LossSum], [actual.LossSum], $"loss at {width} against 4");
            Assert.Equal(expected with { LossSum = 0 }, actual with { LossSum = 0 });
        }
    }

    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.9f)]
    public void Smoothed_labels_give_the_loss_and_the_gradient_of_their_definition(float smoothing)
    {
        const int Classes = 7;
        using AlignedBuffer z = Logits(Classes, 1, 3), dz = Numbers.Unwritten(Classes * Stripes.Count), logSums = Numbers.Unwritten(Stripes.Count);
        int[] labels = [.. Enumerable.Range(0, 12).Select(i => i * 3 % Classes), -1, -1, -1, -1];

        SoftmaxCrossEntropy.Result result = SoftmaxCrossEntropy.Run(z.Pointer, labels, Classes, 1, dz.Pointer, logSums.Pointer, smoothing);

        double loss = 0;
        for (int lane = 0; lane < 16; lane++)
        {
            double[] e = [.. Enumerable.Range(0, Classes).Select(c => Math.Exp(z.Span[(c * 16) + lane]))];
            for (int c = 0; c < Classes; c++)
            {
                double wanted = labels[lane] < 0 ? 0 : ((double)smoothing / Classes) + (c == labels[lane] ? 1 - (double)smoothing : 0), p = e[c] / e.Sum();
                loss -= wanted * Math.Log(p);
                Assert.Equal(labels[lane] < 0 ? 0 : p - wanted, dz.Span[(c * 16) + lane], 1e-6);
            }
        }

        Assert.Equal(loss, result.LossSum, 1e-4);
    }

    [Fact]
    public void Lanes_without_a_sample_give_no_loss_no_gradient_and_no_count()
    {
        using AlignedBuffer z = Logits(3, 1, 1);
        int[] labels = [2, -1, .. Enumerable.Repeat(-1, 14)];

        (SoftmaxCrossEntropy.Result result, float[] dz) = Run(16, z, labels, 3, 1);

        Assert.Equal(1, result.Samples);
        Assert.All(dz.Where((_, i) => i % Stripes.Count > 0), v => Assert.Equal(0, v));
        Assert.Contains(dz.Where((_, i) => i % Stripes.Count == 0), v => v != 0);
    }

    [Fact]
    public void Of_equal_logits_the_lower_class_is_the_greater_one()
    {
        using var z = new AlignedBuffer(10 * Stripes.Count);

        (SoftmaxCrossEntropy.Result result, _) = Run(16, z, [.. Enumerable.Range(0, 10), .. Enumerable.Repeat(-1, 6)], 10, 1);

        Assert.Equal(1, result.Top1);
        Assert.Equal(5, result.Top5);
        Assert.Equal(10, result.Samples);
        Assert.Equal(10 * Math.Log(10), result.LossSum, 1e-5);
    }

    [Theory]
    [InlineData(0, float.NaN)]
    [InlineData(4, float.NaN)]
    [InlineData(9, float.NaN)]
    [InlineData(4, float.PositiveInfinity)]
    public void Nan_or_infinity_in_one_logit_gets_through_to_the_loss(int atClass, float bad)
    {
        for (int label = 0; label < 10; label++)
        {
            using AlignedBuffer z = Logits(10, 1, 1);
            z.Span[(atClass * Stripes.Count) + 6] = bad;
            int[] labels = [.. Enumerable.Repeat(-1, 16)];
            labels[6] = label;

            Assert.True(float.IsNaN(Run(16, z, labels, 10, 1).Result.LossSum));
        }
    }

    [Fact]
    public void A_prediction_that_is_not_a_number_is_not_right()
    {
        using AlignedBuffer z = Numbers.Unwritten(10 * Stripes.Count);

        (SoftmaxCrossEntropy.Result result, _) = Run(16, z, new int[16], 10, 1);

        Assert.Equal((0, 0, 16), (result.Top1, result.Top5, result.Samples));
    }

    [Fact]
    public void A_lane_without_a_sample_may_hold_anything()
    {
        using AlignedBuffer z = Logits(3, 1, 1);
        z.Span[1] = float.NaN;

        (SoftmaxCrossEntropy.Result result, float[] dz) = Run(16, z, [2, -1, .. Enumerable.Repeat(1, 14)], 3, 1);

        Assert.True(float.IsFinite(result.LossSum));
        Assert.All(dz, v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void A_softmax_of_each_pixel_and_its_gradient_give_the_same_bits_at_every_width()
    {
        const int Classes = 5, Pixels = 3, Blocks = 2, Length = Blocks * Classes * Pixels * Stripes.Count;
        using AlignedBuffer z = Numbers.Uniform(Length, seed: 1), dp = Numbers.Uniform(Length, seed: 2);

        float[][] results = [.. new[] { 16, 8, 4 }.Select(width =>
        {
            using AlignedBuffer p = Numbers.Unwritten(Length), dz = Numbers.Unwritten(Length);
            Tests.Widths.Run<SoftmaxForward, SoftmaxArguments>(width, new SoftmaxArguments(z.Pointer, p.Pointer, null, Classes, Blocks, Pixels));
            Tests.Widths.Run<SoftmaxBackward, SoftmaxGradientArguments>(
                width, new SoftmaxGradientArguments(p.Pointer, dp.Pointer, dz.Pointer, Classes, Blocks, Pixels));
            return (float[])[.. p.Span, .. dz.Span];
        })];

        Assert.DoesNotContain(float.NaN, results[0]);
        Numbers.AssertSameBits(results[0], results[1], "8 lanes");
        Numbers.AssertSameBits(results[0], results[2], "4 lanes");
    }

    [Fact]
    public void The_public_door_is_the_kernel_and_its_end()
    {
        using AlignedBuffer z = Logits(10, 1, 2), dz = Numbers.Unwritten(10 * Stripes.Count), scratch = Numbers.Unwritten(Stripes.Count);
        int[] labels = [.. Enumerable.Range(0, 16).Select(i => i % 10)];

        SoftmaxCrossEntropy.Result result = SoftmaxCrossEntropy.Run(z.Pointer, labels, 10, 1, dz.Pointer, scratch.Pointer);

        (SoftmaxCrossEntropy.Result expected, float[] expectedDz) = Run(4, z, labels, 10, 1);
        Assert.Equal(expected, result);
        Numbers.AssertSameBits(expectedDz, dz.Span, "gradient");
    }

    private static (SoftmaxCrossEntropy.Result Result, float[] Gradient) Run(int width, AlignedBuffer z, int[] labels, int classes, int blocks)
    {
        using AlignedBuffer dz = Numbers.Unwritten(z.Length), logSums = Numbers.Unwritten(blocks * Stripes.Count);
        Tests.Widths.Run<SoftmaxForward, SoftmaxArguments>(width, new SoftmaxArguments(z.Pointer, dz.Pointer, logSums.Pointer, classes, blocks));
        return (SoftmaxCrossEntropy.Finish(z.Pointer, labels, classes, blocks, dz.Pointer, logSums.Pointer), dz.Span.ToArray());
    }

    private static AlignedBuffer Logits(int classes, int blocks, float scale)
    {
        AlignedBuffer z = Numbers.Uniform(blocks * classes * Stripes.Count, seed: 5);
        for (int i = 0; i < z.Length; i++)
            z.Span[i] *= scale;
        return z;
    }

    private static (double Loss, int Top1, int Top5, double[] Gradient) Textbook(ReadOnlySpan<float> z, int[] labels, int classes, int blocks)
    {
        double loss = 0;
        (int top1, int top5) = (0, 0);
        var gradient = new double[z.Length];
        for (int sample = 0; sample < blocks * Stripes.Count; sample++)
        {
            int start = (sample / Stripes.Count * classes * Stripes.Count) + (sample % Stripes.Count), label = labels[sample];
            var logits = new double[classes];
            for (int c = 0; c < classes; c++)
                logits[c] = z[start + (c * Stripes.Count)];
            double most = logits.Max(), sum = logits.Sum(v => Math.Exp(v - most));
            loss += Math.Log(sum) + most - logits[label];
            for (int c = 0; c < classes; c++)
                gradient[start + (c * Stripes.Count)] = (Math.Exp(logits[c] - most) / sum) - (c == label ? 1 : 0);
            int rank = logits.Count(v => v > logits[label]);
            top1 += rank == 0 ? 1 : 0;
            top5 += rank < 5 ? 1 : 0;
        }

        return (loss, top1, top5, gradient);
    }
}
