using ConvNet.Cli.Reports;
using ConvNet.Cluster.Jobs;

namespace ConvNet.Dashboard.Tests.Reports;

public sealed class StepLossesTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(2048)]
    [InlineData(100_000)]
    public void Any_number_of_steps_is_remembered_in_a_few_thousand_means(int steps)
    {
        var losses = new StepLosses();
        for (int step = 0; step < steps; step++)
            losses.On(new JobEvent.Stepped(step, 0, step, 0, 1));

        int each = (int)losses.Means[0].Version;
        Assert.InRange(losses.Means.Count, Math.Min(steps, StepLosses.Most / 2), StepLosses.Most - 1);
        Assert.Equal(steps / each, losses.Means.Count);
        // The loss of a step is its number, so the mean of a run of them is its middle.
        Assert.All(losses.Means.Index(), mean => Assert.Equal(
            (((mean.Index + 1L) * each), (mean.Index * each) + ((each - 1) / 2.0)), (mean.Item.Version, mean.Item.Loss)));
    }
}
