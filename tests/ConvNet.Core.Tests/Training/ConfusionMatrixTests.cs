using ConvNet.Core.Training;
using Xunit;

namespace ConvNet.Core.Tests.Training;

public class ConfusionMatrixTests
{
    [Fact]
    public void Samples_are_counted_by_what_they_are_and_what_they_were_taken_for()
    {
        var confusion = new ConfusionMatrix(3);
        foreach ((int label, int predicted) in ((int, int)[])[(0, 0), (0, 0), (0, 2), (1, 0), (1, 0), (1, -1), (0, 1)])
            confusion.Add(label, predicted);

        Assert.Equal((4, 2, 0.5), (confusion.Samples(0), confusion.Correct(0), confusion.Accuracy(0)));
        Assert.Equal((3, 0, 0.0), (confusion.Samples(1), confusion.Correct(1), confusion.Accuracy(1)));
        Assert.Equal((0, double.NaN), (confusion.Samples(2), confusion.Accuracy(2)));
        Assert.Equal([(1, 0, 2), (0, 1, 1), (0, 2, 1)], confusion.Confusions);
    }
}
