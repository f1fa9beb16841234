using ConvNet.Core.Training;
using ConvNet.Data.Augmentation;
using ConvNet.Data.Sampling;

namespace ConvNet.Data.Batches;

/// <summary>Makes images ready before the lanes need them, on threads of its own: reads, decodes, changes them by chance.</summary>
/// <remarks>
/// A worker that has a micro-batch of this step will most likely have the same one of the next, so when a lane takes it, that of the next step is put into the queue; the queue is
/// bounded by its bytes. A lane never waits for the queue: what is not ready it makes ready itself, together with whatever thread is at it. What was made ready for
/// nobody, because the work was given to another worker meanwhile, is dropped with the next step. None of this can change a bit, only when it is computed.
/// </remarks>
public sealed class ReadAhead
{
    /// <summary>The threads from the first lane's beginning to the last one's end.</summary>
    private sealed class Crew
    {
        public List<Thread> Threads { get; } = [];

        public bool Ended { get; set; }
    }

    private const long MostBytesAhead = 256L << 20;
    private const int MostThreads = 8;

    private readonly StepPlan _steps;
    private readonly DataSplits _data;
    private readonly EpochOrder _order;
    private readonly ulong _seed;
    private readonly ImageAugmentation _augmentation;
    private readonly int _mostAhead, _threads;
    private readonly object _gate = new();      // pulsed when there is work, or the last lane has gone
    private readonly Dictionary<(long Step, int MicroBatch), PreparedImages> _ahead = [];
    private readonly List<PreparedImages> _work = [];
    private readonly Stack<PreparedImages> _free = [];
    private int _lanes;
    private Crew? _crew;

    /// <summary>For all lanes of a job on this node.</summary>
    /// <param name="steps">Which samples each micro-batch has.</param>
    /// <param name="data">The samples.</param>
    /// <param name="order">The order of the samples in each epoch.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="augmentation">How training images are changed.</param>
    /// <param name="threads">Threads that work ahead; null for half of the processors, at most 8.</param>
    public ReadAhead(StepPlan steps, DataSplits data, EpochOrder order, ulong seed, ImageAugmentation augmentation, int? threads = null)
    {
        (_steps, _data, _order, _seed, _augmentation) = (steps, data, order, seed, augmentation);
        _threads = threads ?? Math.Clamp(Environment.ProcessorCount / 2, 1, MostThreads);
        _mostAhead = (int)Math.Clamp(MostBytesAhead / ((long)steps.MicroBatch * data.Training.Shape.Elements), 1, 4096);
    }

    /// <summary>Micro-batches that were ready, or being made ready, when a lane came for them.</summary>
    internal long Found { get; private set; }

    /// <summary>A lane begins; the first starts the threads.</summary>
    public void Join()
    {
        lock (_gate)
        {
            if (_lanes++ > 0)
                return;
            Crew crew = _crew = new Crew();
            for (int i = 0; i < _threads; i++)
            {
                var thread = new Thread(() => Run(crew)) { IsBackground = true, Name = $"read ahead {i}" };
                crew.Threads.Add(thread);
                thread.Start();
            }
        }
    }

    /// <summary>A lane ends; the last one waits until the threads have.</summary>
    public void Leave()
    {
        Crew ending;
        lock (_gate)
        {
            if (--_lanes > 0)
                return;
            ending = _crew!;
            ending.Ended = true;
            _work.Clear();
            _ahead.Clear();
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in ending.Threads)
            thread.Join();
    }

    /// <summary>A micro-batch of training images, ready. Give it back with <see cref="Return"/>.</summary>
    /// <exception cref="DataException">An image cannot be read.</exception>
    public PreparedImages Training(long step, int microBatch)
    {
        PreparedImages images;
        lock (_gate)
        {
            Drop(step);
            if (_ahead.Remove((step, microBatch), out PreparedImages? begun))
            {
                images = begun;
                Found++;
            }
            else
            {
                images = BeginTraining(step, microBatch, now: true);
            }

            if (step + 1 < _steps.TotalSteps && microBatch < _steps.MicroBatchesOf(step + 1) && _ahead.Count < _mostAhead && !_ahead.ContainsKey((step + 1, microBatch)))
                _ahead.Add((step + 1, microBatch), BeginTraining(step + 1, microBatch, now: false));
            Monitor.PulseAll(_gate);
        }

        images.Complete();
        return images;
    }

    /// <summary>A micro-batch of test images, ready. Give it back with <see cref="Return"/>.</summary>
    /// <exception cref="DataException">An image cannot be read.</exception>
    public PreparedImages Test(int microBatch)
    {
        (int start, int count) = _steps.EvaluationSamples(microBatch);
        Span<int> samples = count <= 256 ? stackalloc int[count] : new int[count];
        for (int i = 0; i < count; i++)
            samples[i] = start + i;
        PreparedImages images;
        lock (_gate)
        {
            images = Begin(_data.Test, samples, ImageAugmentation.None, epoch: 0, now: true);
            Monitor.PulseAll(_gate);
        }

        images.Complete();
        return images;
    }

    /// <summary>Gives a micro-batch back; its memory is used again.</summary>
    public void Return(PreparedImages images)
    {
        lock (_gate)
        {
            _work.Remove(images);
            _free.Push(images);
        }
    }

    private PreparedImages BeginTraining(long step, int microBatch, bool now)
    {
        (int epoch, int start, int count) = _steps.Positions(step, microBatch);
        return Begin(_data.Training, _order.Slice(epoch, start, count), _augmentation, epoch, now);
    }

    /// <summary>Puts a micro-batch into the queue: in front if a lane stands there for it.</summary>
    private PreparedImages Begin(DataSet data, ReadOnlySpan<int> samples, ImageAugmentation augmentation, int epoch, bool now)
    {
        PreparedImages images = _free.TryPop(out PreparedImages? used) ? used : new PreparedImages(_steps.MicroBatch, data.Shape.Elements);
        images.Begin(data, samples, augmentation, _seed, epoch);
        _work.Insert(now ? 0 : _work.Count, images);
        return images;
    }

    /// <summary>Drops what nobody came for. A thread may still be at it, so its memory is not used again.</summary>
    private void Drop(long before)
    {
        foreach (var (key, images) in _ahead)
        {
            if (key.Step >= before)
                continue;
            _ahead.Remove(key);
            _work.Remove(images);
        }
    }

    private void Run(Crew crew)
    {
        while (true)
        {
            PreparedImages? images = null;
            lock (_gate)
            {
                while (!crew.Ended && images is null)
                {
                    _work.RemoveAll(static w => w.IsClaimed);
                    if (_work.Count > 0)
                        images = _work[0];
                    else
                        Monitor.Wait(_gate);
                }
            }

            if (images is null)
                return;
            images.WorkOnOne();
        }
    }
}
