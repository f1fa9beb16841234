using ConvNet.Core.Training;

namespace ConvNet.Core.Tests.Training;

public sealed class VectorAddTests
{
    [Fact]
    public void It_adds_like_a_loop_for_every_length()
    {
        var random = new Random(1);
        for (int length = 0; length <= 257; length++)
        {
            float[] left = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)], right = [.. left.Select(_ => random.NextSingle() * 1e5f)];
            float[] expected = [.. left.Zip(right, (l, r) => l + r)];

            VectorAdd.Into(left, right);

            Assert.Equal(expected, left);
        }
    }

    [Fact]
    public void Vectors_of_two_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>(() => VectorAdd.Into(new float[3], new float[4]));
    }
}
