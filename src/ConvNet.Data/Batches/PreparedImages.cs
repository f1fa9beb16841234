using System.Buffers;
using System.Runtime.ExceptionServices;
using ConvNet.Data.Augmentation;

namespace ConvNet.Data.Batches;

/// <summary>A micro-batch's images being made ready, byte by byte as they will be seen: read, decoded and, in training, changed by chance. Several threads may work on it at once.</summary>
/// <remarks>Each image is claimed by one thread. What becomes of it is a function of the job and its number alone, so it does not matter which.</remarks>
public sealed class PreparedImages
{
    private readonly byte[] _pixels;
    private readonly int[] _samples, _labels;
    private readonly Lock _gate = new();       // guards the counts: a thread may come late, when this is another micro-batch already
    private readonly ManualResetEventSlim _ready = new();
    private DataSet _data = null!;
    private ImageAugmentation _augmentation = ImageAugmentation.None;
    private ulong _seed;
    private int _epoch, _claimed, _done;
    private Exception? _failure;

    internal PreparedImages(int mostImages, int elements) =>
        (_pixels, _samples, _labels) = (new byte[mostImages * elements], new int[mostImages], new int[mostImages]);

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>The images, <c>[N, C, H, W]</c>.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels.AsSpan(0, Count * _data.Shape.Elements);

    /// <summary>Their classes.</summary>
    public ReadOnlySpan<int> Labels => _labels.AsSpan(0, Count);

    /// <summary>Whether all images are claimed.</summary>
    internal bool IsClaimed
    {
        get
        {
            lock (_gate)
                return _claimed == Count;
        }
    }

    /// <summary>Begins anew with other images; nobody works on it.</summary>
    internal void Begin(DataSet data, ReadOnlySpan<int> samples, ImageAugmentation augmentation, ulong seed, int epoch)
    {
        lock (_gate)
        {
            (_data, _augmentation, _seed, _epoch, Count) = (data, augmentation, seed, epoch, samples.Length);
            (_claimed, _done, _failure) = (0, 0, null);
            samples.CopyTo(_samples);
            _ready.Reset();
        }
    }

    /// <summary>Claims an image and makes it ready.</summary>
    /// <returns>False if all are claimed.</returns>
    internal bool WorkOnOne()
    {
        int index;
        lock (_gate)
        {
            if (_claimed == Count)
                return false;
            index = _claimed++;
        }

        Exception? failed = null;
        try
        {
            Prepare(index);
        }
        catch (Exception failure)
        {
            failed = failure;       // whoever asked for the micro-batch is told, on its own thread
        }

        lock (_gate)
        {
            _failure ??= failed;
            if (++_done == Count)
                _ready.Set();
        }

        return true;
    }

    /// <summary>Works on it until all is ready. Waits for no more than the image that another thread has in hand.</summary>
    /// <exception cref="DataException">An image cannot be read.</exception>
    internal void Complete()
    {
        while (WorkOnOne())
        {
        }

        _ready.Wait();
        if (_failure is { } failure)
            ExceptionDispatchInfo.Capture(failure).Throw();
    }

    private void Prepare(int index)
    {
        int length = _data.Shape.Elements, sample = _samples[index];
        Span<byte> image = _pixels.AsSpan(index * length, length);
        _data.Read(sample, image);
        _labels[index] = _data.Label(sample);
        if (_augmentation.IsNone)
            return;
        byte[] scratch = ArrayPool<byte>.Shared.Rent(length);
        _augmentation.Apply(image, scratch.AsSpan(0, length), _data.Shape, _seed, _epoch, sample);
        ArrayPool<byte>.Shared.Return(scratch);
    }
}
