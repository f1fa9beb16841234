using ConvNet.Core.Tensors;

namespace ConvNet.Data;

/// <summary>Labelled images of one shape, in memory, a byte a value.</summary>
public sealed class DataSet
{
    private readonly byte[] _pixels;
    private readonly byte[] _labels;

    /// <summary>Takes over the arrays.</summary>
    /// <param name="name">For messages: where the images come from.</param>
    /// <param name="shape">C, H, W of each image.</param>
    /// <param name="pixels"><c>[N, C, H, W]</c>.</param>
    /// <param name="labels">The classes, one for each image.</param>
    /// <param name="classNames">The classes' names, by number.</param>
    /// <exception cref="DataException">Images and labels differ in count, or a label has no class.</exception>
    public DataSet(string name, Shape shape, byte[] pixels, byte[] labels, IReadOnlyList<string> classNames)
    {
        if (pixels.LongLength != (long)labels.Length * shape.Elements)
            throw new DataException($"{name}: {pixels.LongLength / shape.Elements} images but {labels.Length} labels; both files must be of one data set.");
        int wrong = Array.FindIndex(labels, l => l >= classNames.Count);
        if (wrong >= 0)
            throw new DataException($"{name}: label {wrong} is {labels[wrong]}; with {classNames.Count} classes it takes 0 to {classNames.Count - 1}.");
        (Name, Shape, _pixels, _labels, ClassNames) = (name, shape, pixels, labels, classNames);
    }

    /// <summary>Where the images come from.</summary>
    public string Name { get; }

    /// <summary>C, H, W of each image.</summary>
    public Shape Shape { get; }

    /// <summary>The classes' names, by number.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Images.</summary>
    public int Count => _labels.Length;

    /// <summary>One image, <c>[C, H, W]</c>.</summary>
    public ReadOnlySpan<byte> Pixels(int index) => _pixels.AsSpan(index * Shape.Elements, Shape.Elements);

    /// <summary>One image's class.</summary>
    public int Label(int index) => _labels[index];
}

/// <summary>A data set for training and one, of the same shape and classes, for testing.</summary>
public sealed record DataSplits
{
    /// <summary>Pairs them.</summary>
    /// <exception cref="DataException">Their shapes differ, or one is empty.</exception>
    public DataSplits(string name, DataSet training, DataSet test)
    {
        if (training.Shape != test.Shape)
            throw new DataException($"{name}: training images are {training.Shape} but test images {test.Shape}; both must have one shape.");
        if (training.Count == 0 || test.Count == 0)
            throw new DataException($"{name}: {training.Count} training and {test.Count} test images; it takes at least one of each.");
        (Name, Training, Test, Normalisation) = (name, training, test, Normalisation.Of(training));
    }

    /// <summary>As the user named it.</summary>
    public string Name { get; }

    /// <summary>What a network learns from.</summary>
    public DataSet Training { get; }

    /// <summary>What it is measured on.</summary>
    public DataSet Test { get; }

    /// <summary>Mean and deviation of the training images, which both are normalised with.</summary>
    public Normalisation Normalisation { get; }
}
