namespace ConvNet.Core.Training;

/// <summary>How often samples of each class were taken for each other class.</summary>
/// <param name="classes">Classes, at least 1.</param>
public sealed class ConfusionMatrix(int classes)
{
    private readonly int[] _counts = new int[classes * classes];
    private readonly int[] _samples = new int[classes];

    /// <summary>Classes.</summary>
    public int Classes => classes;

    /// <summary>Counts a sample.</summary>
    /// <param name="label">Its class.</param>
    /// <param name="predicted">The class that it was taken for; −1 where it was taken for none.</param>
    public void Add(int label, int predicted)
    {
        _samples[label]++;
        if (predicted >= 0)
            _counts[(label * classes) + predicted]++;
    }

    /// <summary>Samples of a class that were taken for a class.</summary>
    /// <param name="label">The class that they are of.</param>
    /// <param name="predicted">The class that they were taken for.</param>
    public int this[int label, int predicted] => _counts[(label * classes) + predicted];

    /// <summary>Samples of a class.</summary>
    public int Samples(int label) => _samples[label];

    /// <summary>Samples of a class that were taken for it.</summary>
    public int Correct(int label) => this[label, label];

    /// <summary>Share of a class's samples that were taken for it, from 0 to 1; NaN where it has none.</summary>
    public double Accuracy(int label) => (double)Correct(label) / Samples(label);

    /// <summary>The pairs of different classes that were confused, most frequent first; of equally frequent ones in the order of the classes.</summary>
    public IEnumerable<(int Label, int Predicted, int Count)> Confusions =>
        from label in Enumerable.Range(0, classes)
        from predicted in Enumerable.Range(0, classes)
        where label != predicted && this[label, predicted] > 0
        orderby this[label, predicted] descending, label, predicted
        select (label, predicted, this[label, predicted]);
}
