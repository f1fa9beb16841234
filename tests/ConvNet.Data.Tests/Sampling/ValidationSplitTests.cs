using ConvNet.Core.Tensors;
using ConvNet.Data.Sampling;
using CsCheck;

namespace ConvNet.Data.Tests.Sampling;

public sealed class ValidationSplitTests
{
    [Fact]
    public void Every_training_image_is_in_one_part_and_none_of_the_test_set_in_either() =>
        Gen.Select(Gen.Int[2, 200], Gen.Float[0.001f, 0.5f], Gen.ULong).Sample((count, share, seed) =>
        {
            DataSplits data = Numbered(count), split = ValidationSplit.Of(data, share, seed);

            Assert.Equal(Enumerable.Range(0, count), Numbers(split.Training).Concat(Numbers(split.Test)).Order());
            Assert.Equal(ValidationSplit.Counts(count, 5, share), (split.Training.Count, split.Test.Count));
            Assert.All(Enumerable.Range(0, split.Test.Count), i => Assert.Equal(split.Test.Pixels(i)[0] % 2, split.Test.Label(i)));
            Assert.Same(data.Normalisation, split.Normalisation);
        }, iter: 100);

    [Theory]
    [InlineData(100, 0.1f, 90, 10)]
    [InlineData(60_000, 0.1f, 54_000, 6_000)]
    [InlineData(15, 0.1f, 13, 2)]
    [InlineData(5, 0.01f, 4, 1)]
    public void The_share_is_rounded_to_whole_images_but_is_at_least_one(int count, float share, int training, int held) =>
        Assert.Equal((training, held), ValidationSplit.Counts(count, 7, share));

    [Fact]
    public void No_share_leaves_the_test_set()
    {
        DataSplits data = Numbered(10);

        Assert.Same(data, ValidationSplit.Of(data, 0, seed: 1));
        Assert.Equal((10, 7), ValidationSplit.Counts(10, 7, 0));
    }

    [Fact]
    public void Another_seed_holds_others_out_and_the_same_seed_the_same()
    {
        DataSplits data = Numbered(100);
        int[] one = Numbers(ValidationSplit.Of(data, 0.2f, 1).Test), again = Numbers(ValidationSplit.Of(data, 0.2f, 1).Test), other = Numbers(ValidationSplit.Of(data, 0.2f, 2).Test);

        Assert.Equal(one, again);
        Assert.NotEqual(one, other);
        Assert.Equal([1, 4, 6, 8, 11], one.Take(5));       // on every machine, in every release
    }

    [Fact]
    public void A_share_that_leaves_nothing_is_told() => Assert.Contains(
        "validation: 0.9 of 3 training images leaves none to learn from", Assert.Throws<DataException>(() => ValidationSplit.Counts(3, 7, 0.9f)).Message, StringComparison.Ordinal);

    private static DataSplits Numbered(int count)
    {
        DataSet Set(int first, int n) => new("x", new Shape(1, 1, 1), [.. Enumerable.Range(first, n).Select(i => (byte)i)], [.. Enumerable.Range(first, n).Select(i => (byte)(i % 2))], ["even", "odd"]);
        return new DataSplits("x", Set(0, count), Set(200, 5));
    }

    private static int[] Numbers(DataSet data) => [.. Enumerable.Range(0, data.Count).Select(i => (int)data.Pixels(i)[0])];
}
