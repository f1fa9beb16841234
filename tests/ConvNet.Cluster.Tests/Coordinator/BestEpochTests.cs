using ConvNet.Cluster.Coordinator;

namespace ConvNet.Cluster.Tests.Coordinator;

public sealed class BestEpochTests
{
    [Theory]
    [InlineData(new double[0], null)]
    [InlineData(new[] { 0.5 }, 0)]
    [InlineData(new[] { 0.5, 0.7, 0.6 }, 1)]
    [InlineData(new[] { 0.5, 0.7, 0.7 }, 1)]
    [InlineData(new[] { 0.1, 0.2, 0.3 }, 2)]
    public void The_best_is_the_first_of_those_that_are_equally_good(double[] accuracies, int? best) => Assert.Equal(best, BestEpoch.Of(Epochs(accuracies)));

    [Theory]
    [InlineData(new[] { 0.5, 0.4, 0.3 }, 2, true)]
    [InlineData(new[] { 0.5, 0.4 }, 2, false)]
    [InlineData(new[] { 0.5, 0.5, 0.5 }, 2, true)]
    [InlineData(new[] { 0.5, 0.4, 0.6 }, 2, false)]
    [InlineData(new[] { 0.5, 0.4, 0.3, 0.2 }, 0, false)]
    [InlineData(new double[0], 1, false)]
    public void Patience_is_the_number_of_epochs_without_a_better_one(double[] accuracies, int patience, bool over) =>
        Assert.Equal(over, BestEpoch.IsOver([.. Epochs(accuracies)], patience));

    private static IEnumerable<(int Epoch, double Accuracy)> Epochs(double[] accuracies) => accuracies.Select((a, epoch) => (epoch, a));
}
