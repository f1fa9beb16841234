using ConvNet.Core.Tensors;

namespace ConvNet.Data.Tests;

public sealed class NormalisationTests
{
    [Fact]
    public void Mean_and_deviation_are_those_of_each_channel_over_all_images()
    {
        var data = new DataSet("x", new Shape(2, 1, 2), [0, 255, 51, 51, 255, 0, 51, 51], [0, 1], ["a", "b"]);

        var normalisation = Normalisation.Of(data);

        Assert.Equal([0.5f, 0.2f], normalisation.Mean);
        Assert.Equal([0.5f, 1f], normalisation.Deviation);   // the second channel has no contrast
    }

    [Fact]
    public void The_mean_becomes_0_and_a_deviation_more_becomes_1()
    {
        var normalisation = new Normalisation([0.5f], [0.25f]);

        Assert.Equal(0, MathF.FusedMultiplyAdd(127.5f, normalisation.Scale(0), normalisation.Shift(0)), 1e-6f);
        Assert.Equal(1, MathF.FusedMultiplyAdd(191.25f, normalisation.Scale(0), normalisation.Shift(0)), 1e-6f);
    }
}
