using ConvNet.Core.Tensors;

namespace ConvNet.Data;

/// <summary>Reads images that are not in memory. Used by many threads at once.</summary>
public interface IImageSource
{
    /// <summary>Reads one image.</summary>
    /// <param name="index">Which, from 0.</param>
    /// <param name="pixels"><c>[C, H, W]</c>, all overwritten.</param>
    /// <exception cref="DataException">It cannot be read.</exception>
    void Read(int index, Span<byte> pixels);
}

/// <summary>Labelled images of one shape, a byte a value: in memory, or read when they are wanted.</summary>
public sealed class DataSet
{
    private readonly byte[]? _pixels;
    private readonly IImageSource? _source;
    private readonly int[] _labels;
    private readonly int[]? _chosen;      // of a part: each image's place in the whole

    /// <summary>Images in memory. Takes over the arrays.</summary>
    /// <param name="name">For messages: where the images come from.</param>
    /// <param name="shape">C, H, W of each image.</param>
    /// <param name="pixels"><c>[N, C, H, W]</c>.</param>
    /// <param name="labels">The classes, one for each image.</param>
    /// <param name="classNames">The classes' names, by number.</param>
    /// <exception cref="DataException">Images and labels differ in count, or a label has no class.</exception>
    public DataSet(string name, Shape shape, byte[] pixels, byte[] labels, IReadOnlyList<string> classNames)
        : this(name, shape, pixels, null, [.. labels.Select(l => (int)l)], classNames)
    {
        if (pixels.LongLength != (long)labels.Length * shape.Elements)
            throw new DataException($"{name}: {pixels.LongLength / shape.Elements} images but {labels.Length} labels; both files must be of one data set.");
    }

    /// <summary>Images that are read when they are wanted, or are in memory.</summary>
    /// <exception cref="DataException">A label has no class.</exception>
    internal DataSet(string name, Shape shape, byte[]? pixels, IImageSource? source, int[] labels, IReadOnlyList<string> classNames)
    {
        int wrong = Array.FindIndex(labels, l => (uint)l >= (uint)classNames.Count);
        if (wrong >= 0)
            throw new DataException($"{name}: label {wrong} is {labels[wrong]}; with {classNames.Count} classes it takes 0 to {classNames.Count - 1}.");
        (Name, Shape, _pixels, _source, _labels, ClassNames) = (name, shape, pixels, source, labels, classNames);
    }

    private DataSet(DataSet whole, int[] chosen) =>
        (Name, Shape, _pixels, _source, _labels, ClassNames, _chosen) =
        (whole.Name, whole.Shape, whole._pixels, whole._source, [.. chosen.Select(whole.Label)], whole.ClassNames, [.. chosen.Select(whole.Place)]);

    /// <summary>Where the images come from.</summary>
    public string Name { get; }

    /// <summary>C, H, W of each image.</summary>
    public Shape Shape { get; }

    /// <summary>The classes' names, by number.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Images.</summary>
    public int Count => _labels.Length;

    /// <summary>Whether the images are in memory; otherwise each costs reading a file.</summary>
    public bool InMemory => _pixels is not null;

    /// <summary>One image of a set in memory, <c>[C, H, W]</c>.</summary>
    /// <exception cref="InvalidOperationException">The set is not in memory.</exception>
    public ReadOnlySpan<byte> Pixels(int index) => _pixels is not null
        ? _pixels.AsSpan(Place(index) * Shape.Elements, Shape.Elements)
        : throw new InvalidOperationException($"{Name} is not in memory.");

    /// <summary>Copies or reads one image. By many threads at once.</summary>
    /// <param name="index">Which, from 0.</param>
    /// <param name="pixels"><c>[C, H, W]</c>, all overwritten.</param>
    /// <exception cref="DataException">Its file cannot be read.</exception>
    public void Read(int index, Span<byte> pixels)
    {
        if (_source is not null)
            _source.Read(Place(index), pixels);
        else
            Pixels(index).CopyTo(pixels);
    }

    /// <summary>One image's class.</summary>
    public int Label(int index) => _labels[index];

    /// <summary>A part of it, without copying any image.</summary>
    /// <param name="chosen">Which images, in order.</param>
    public DataSet Part(int[] chosen) => new(this, chosen);

    private int Place(int index) => _chosen is null ? index : _chosen[index];
}

/// <summary>A data set for training and one, of the same shape and classes, for testing.</summary>
public sealed record DataSplits
{
    /// <summary>Pairs them.</summary>
    /// <param name="name">As the user named it.</param>
    /// <param name="training">What a network learns from.</param>
    /// <param name="test">What it is measured on.</param>
    /// <param name="normalisation">Mean and deviation of the training images where they are known; null to work them out, for which all images are read.</param>
    /// <exception cref="DataException">Their shapes differ, or one is empty, or an image cannot be read.</exception>
    public DataSplits(string name, DataSet training, DataSet test, Normalisation? normalisation = null)
    {
        if (training.Shape != test.Shape)
            throw new DataException($"{name}: training images are {training.Shape} but test images {test.Shape}; both must have one shape.");
        if (training.Count == 0 || test.Count == 0)
            throw new DataException($"{name}: {training.Count} training and {test.Count} test images; it takes at least one of each.");
        (Name, Training, Test, Normalisation) = (name, training, test, normalisation ?? Normalisation.Of(training));
    }

    /// <summary>As the user named it.</summary>
    public string Name { get; }

    /// <summary>What a network learns from.</summary>
    public DataSet Training { get; }

    /// <summary>What it is measured on.</summary>
    public DataSet Test { get; }

    /// <summary>Mean and deviation of the training images, which both are normalised with.</summary>
    public Normalisation Normalisation { get; }

    /// <summary>Pictures that were left out because they are damaged, by name; the job asked for it.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];
}
