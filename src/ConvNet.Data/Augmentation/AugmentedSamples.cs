using ConvNet.Data.Batches;

namespace ConvNet.Data.Augmentation;

/// <summary>One lane's changed training images: fills micro-batches as <see cref="SampleLanes"/> does, with every image changed by its own chance. Allocates nothing after it is made.</summary>
public sealed class AugmentedSamples
{
    private readonly ImageAugmentation _augmentation;
    private readonly DataSet _training, _changed;
    private readonly byte[] _pixels, _labels, _scratch;
    private readonly int[] _places;

    /// <summary>For one lane.</summary>
    /// <param name="augmentation">What is done.</param>
    /// <param name="training">The images.</param>
    /// <param name="microBatch">Images of a micro-batch at most.</param>
    public AugmentedSamples(ImageAugmentation augmentation, DataSet training, int microBatch)
    {
        (_augmentation, _training) = (augmentation, training);
        _pixels = new byte[microBatch * training.Shape.Elements];
        _labels = new byte[microBatch];
        _scratch = new byte[training.Shape.Elements];
        _places = [.. Enumerable.Range(0, microBatch)];
        _changed = new DataSet(training.Name, training.Shape, _pixels, _labels, training.ClassNames);
    }

    /// <summary>Fills a micro-batch.</summary>
    /// <param name="samples">Which images, in order.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="normalisation">How bytes become numbers.</param>
    /// <param name="input">As in <see cref="SampleLanes.Fill"/>.</param>
    /// <param name="labels">As in <see cref="SampleLanes.Fill"/>.</param>
    public void Fill(ReadOnlySpan<int> samples, ulong seed, int epoch, Normalisation normalisation, Span<float> input, Span<int> labels)
    {
        int length = _training.Shape.Elements;
        for (int i = 0; i < samples.Length; i++)
        {
            Span<byte> image = _pixels.AsSpan(i * length, length);
            _training.Pixels(samples[i]).CopyTo(image);
            _augmentation.Apply(image, _scratch, _training.Shape, seed, epoch, samples[i]);
            _labels[i] = (byte)_training.Label(samples[i]);
        }

        SampleLanes.Fill(_changed, _places.AsSpan(0, samples.Length), normalisation, input, labels);
    }
}
