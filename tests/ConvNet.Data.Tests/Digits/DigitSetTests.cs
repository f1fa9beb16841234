using System.Security.Cryptography;
using ConvNet.Data.Digits;

namespace ConvNet.Data.Tests.Digits;

public sealed class DigitSetTests
{
    private static readonly (byte[] Pixels, byte[] Labels) Training = DigitSet.Draw(DigitSplit.Training, DigitSet.TrainingCount, 2);
    private static readonly (byte[] Pixels, byte[] Labels) Test = DigitSet.Draw(DigitSplit.Test, DigitSet.TestCount, 2);

    [Fact]
    public void The_digits_are_the_same_bytes_for_ever()
    {
        Assert.Equal("d9fc76072947a91092e48a298684646559efd1a574a59a7b1c807bedcaf70859", Hash(Training));
        Assert.Equal("f955ea70387b62b746b226be13c406e9e5bb20f6acbc6e723b322066975e6cdb", Hash(Test));
    }

    [Fact]
    public void Threads_and_count_do_not_change_an_image()
    {
        (byte[] pixels, byte[] labels) = DigitSet.Draw(DigitSplit.Training, 100, 1);

        Assert.Equal(Training.Pixels[..pixels.Length], pixels);
        Assert.Equal(Training.Labels[..100], labels);
    }

    [Fact]
    public void Every_digit_comes_about_as_often()
    {
        foreach (IGrouping<byte, byte> digit in Training.Labels.GroupBy(l => l))
            Assert.InRange(digit.Count(), 5700, 6300);
    }

    [Fact]
    public void No_image_is_blank_or_full_and_none_comes_twice()
    {
        var seen = new HashSet<string>();
        foreach (byte[] image in Training.Pixels.Chunk(784).Concat(Test.Pixels.Chunk(784)))
        {
            Assert.InRange(image.Count(p => p > 80), 15, 500);
            Assert.True(seen.Add(Convert.ToHexString(SHA256.HashData(image))));
        }
    }

    [Fact]
    public void A_linear_classifier_stays_clearly_below_a_convolutional_network()
    {
        double accuracy = Softmax.Train(Training, samples: 20_000).Accuracy(Test, samples: 3_000);

        Assert.InRange(accuracy, 0.60, 0.92);
    }

    private static string Hash((byte[] Pixels, byte[] Labels) split) =>
        Convert.ToHexStringLower(SHA256.HashData([.. split.Pixels, .. split.Labels]));

    /// <summary>Softmax regression by plain stochastic gradient descent.</summary>
    private sealed class Softmax
    {
        private readonly float[][] _weights = [.. Enumerable.Range(0, 10).Select(_ => new float[785])];

        public static Softmax Train((byte[] Pixels, byte[] Labels) data, int samples)
        {
            var model = new Softmax();
            for (int i = 0; i < samples; i++)
            {
                ReadOnlySpan<byte> image = data.Pixels.AsSpan(i * 784, 784);
                double[] scores = model.Scores(image);
                double most = scores.Max(), sum = scores.Sum(s => Math.Exp(s - most));
                for (int c = 0; c < 10; c++)
                {
                    float slope = (float)(0.01 * ((Math.Exp(scores[c] - most) / sum) - (data.Labels[i] == c ? 1 : 0)));
                    for (int p = 0; p < 784; p++)
                        model._weights[c][p] -= slope * image[p] / 255;
                    model._weights[c][784] -= slope;
                }
            }

            return model;
        }

        public double Accuracy((byte[] Pixels, byte[] Labels) data, int samples)
        {
            int right = 0;
            for (int i = 0; i < samples; i++)
            {
                double[] scores = Scores(data.Pixels.AsSpan(i * 784, 784));
                right += Array.IndexOf(scores, scores.Max()) == data.Labels[i] ? 1 : 0;
            }

            return (double)right / samples;
        }

        private double[] Scores(ReadOnlySpan<byte> image)
        {
            var scores = new double[10];
            for (int c = 0; c < 10; c++)
            {
                float sum = _weights[c][784];
                for (int p = 0; p < 784; p++)
                    sum += _weights[c][p] * image[p] / 255;
                scores[c] = sum;
            }

            return scores;
        }
    }
}
