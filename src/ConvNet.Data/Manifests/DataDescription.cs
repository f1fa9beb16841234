using ConvNet.Core.Tensors;

namespace ConvNet.Data.Manifests;

/// <summary>What is needed of a data set to plan a job, and to say how a model's inputs were normalised; no pixels.</summary>
/// <param name="Shape">C, H, W of each image.</param>
/// <param name="ClassNames">The classes' names, by number.</param>
/// <param name="TrainingCount">Training images, at least 1.</param>
/// <param name="TestCount">Test images, at least 1.</param>
/// <param name="Normalisation">Mean and deviation of the training images.</param>
public sealed record DataDescription(Shape Shape, IReadOnlyList<string> ClassNames, int TrainingCount, int TestCount, Normalisation Normalisation)
{
    /// <summary>Describes a data set that is in memory.</summary>
    public static DataDescription Of(DataSplits data) => new(data.Training.Shape, data.Training.ClassNames, data.Training.Count, data.Test.Count, data.Normalisation);

    /// <summary>How this differs from <paramref name="expected"/>, in words; null where the two are the same to the last bit.</summary>
    public string? DifferenceFrom(DataDescription expected)
    {
        if (Shape != expected.Shape)
            return $"images of {Shape}, expected {expected.Shape}";
        if (TrainingCount != expected.TrainingCount || TestCount != expected.TestCount)
            return $"{TrainingCount} training and {TestCount} test images, expected {expected.TrainingCount} and {expected.TestCount}";
        if (!ClassNames.SequenceEqual(expected.ClassNames, StringComparer.Ordinal))
            return $"the classes {string.Join(", ", ClassNames)}, expected {string.Join(", ", expected.ClassNames)}";
        if (!Normalisation.Mean.SequenceEqual(expected.Normalisation.Mean))
            return $"pixels of mean {Text(Normalisation.Mean)}, expected {Text(expected.Normalisation.Mean)}";
        return Normalisation.Deviation.SequenceEqual(expected.Normalisation.Deviation)
            ? null
            : $"pixels of deviation {Text(Normalisation.Deviation)}, expected {Text(expected.Normalisation.Deviation)}";
    }

    private static string Text(IEnumerable<float> values) => FormattableString.Invariant($"[{string.Join(", ", values)}]");
}
