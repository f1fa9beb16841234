using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using ConvNet.Data.Augmentation;
using ConvNet.Data.Batches;
using ConvNet.Data.Sampling;

namespace ConvNet.Data.Tests.Batches;

public sealed class ReadAheadTests
{
    private static readonly Shape Shape = new(3, 4, 5);
    private static readonly ImageAugmentation Flip = ImageAugmentation.Parse("crop 1, flip")!;

    // 22 samples are no multiple of the batch of 8, nor the last 6 of the micro-batch of 4.
    private static readonly StepPlan Steps = new(22, 7, Batch: 8, MicroBatch: 4, Epochs: 3);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Any_number_of_threads_and_lanes_gives_the_images_that_one_lane_alone_makes(int threads)
    {
        var source = new Source();
        ReadAhead ahead = Make(source, threads);
        (long Step, int MicroBatch)[] work = [.. from step in Enumerable.Range(0, (int)Steps.TotalSteps) from m in Enumerable.Range(0, Steps.MicroBatchesOf(step)) select ((long)step, m)];
        var seen = new byte[work.Length][];
        int next = -1;

        Thread[] lanes = [.. Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            ahead.Join();
            for (int i; (i = Interlocked.Increment(ref next)) < work.Length;)
            {
                PreparedImages images = ahead.Training(work[i].Step, work[i].MicroBatch);
                seen[i] = [.. images.Pixels, .. images.Labels.ToArray().Select(l => (byte)l)];
                ahead.Return(images);
            }

            ahead.Leave();
        }))];
        foreach (Thread lane in lanes)
            lane.Start();
        foreach (Thread lane in lanes)
            lane.Join();

        Assert.All(Enumerable.Range(0, work.Length), i => Assert.Equal(Plainly(work[i].Step, work[i].MicroBatch), seen[i]));
    }

    [Fact]
    public async Task The_next_step_is_made_ready_while_a_lane_computes()
    {
        var source = new Source();
        ReadAhead ahead = Make(source, threads: 1);
        ahead.Join();

        ahead.Return(ahead.Training(0, 1));
        await source.HasRead(8);     // 4 images of step 0, 4 of step 1
        ahead.Return(ahead.Training(1, 1));

        Assert.Equal(1, ahead.Found);
        ahead.Leave();
    }

    [Fact]
    public void What_was_made_ready_for_another_step_is_not_mistaken_for_it()
    {
        ReadAhead ahead = Make(new Source(), threads: 1);
        ahead.Join();

        ahead.Return(ahead.Training(0, 0));
        PreparedImages later = ahead.Training(5, 0);

        Assert.Equal(Plainly(5, 0), (byte[])[.. later.Pixels, .. later.Labels.ToArray().Select(l => (byte)l)]);
        Assert.Equal(0, ahead.Found);
        ahead.Leave();
    }

    [Fact]
    public void Test_images_are_those_of_the_test_set_unchanged()
    {
        ReadAhead ahead = Make(new Source(), threads: 1);
        ahead.Join();

        PreparedImages images = ahead.Test(1);

        Assert.Equal((byte[])[.. Source.Image(4), .. Source.Image(5), .. Source.Image(6)], images.Pixels.ToArray());
        Assert.Equal([1, 2, 0], images.Labels.ToArray());
        ahead.Return(images);
        ahead.Leave();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_picture_that_cannot_be_read_is_told_to_the_lane_that_wants_it_and_to_no_other(int threads)
    {
        int bad = new EpochOrder(9, 22).Slice(0, 8, 4)[2];      // step 1, micro-batch 0
        ReadAhead ahead = Make(new Source { Bad = bad }, threads);
        ahead.Join();

        ahead.Return(ahead.Training(0, 0));
        var error = Assert.Throws<DataException>(() => ahead.Training(1, 0));
        ahead.Return(ahead.Training(1, 1));

        Assert.Equal($"{bad}.jpg: is damaged", error.Message);
        ahead.Leave();
    }

    [Fact]
    public void After_the_last_lane_it_can_begin_again()
    {
        ReadAhead ahead = Make(new Source(), threads: 2);
        for (int i = 0; i < 3; i++)
        {
            ahead.Join();
            ahead.Return(ahead.Training(i, 0));
            ahead.Leave();
        }
    }

    private static ReadAhead Make(Source source, int threads)
    {
        string[] classes = ["a", "b", "c"];
        DataSet Set(int count) => new("x", Shape, null, source, [.. Enumerable.Range(0, count).Select(i => i % 3)], classes);
        var data = new DataSplits("x", Set(22), Set(7), new Normalisation([0, 0, 0], [1, 1, 1]));
        return new ReadAhead(Steps, data, new EpochOrder(9, 22), seed: 9, Flip, threads);
    }

    private static byte[] Plainly(long step, int microBatch)
    {
        (int epoch, int start, int count) = Steps.Positions(step, microBatch);
        int[] samples = new EpochOrder(9, 22).Slice(epoch, start, count).ToArray();
        return [.. samples.SelectMany(s => Changed(s, epoch)), .. samples.Select(s => (byte)(s % 3))];
    }

    private static byte[] Changed(int sample, int epoch)
    {
        byte[] image = Source.Image(sample), scratch = new byte[image.Length];
        Flip.Apply(image, scratch, Shape, 9, epoch, sample);
        return image;
    }

    private sealed class Source : IImageSource
    {
        private readonly Lock _gate = new();
        private readonly List<(int Count, TaskCompletionSource Reached)> _awaited = [];
        private int _read;

        public int Bad { get; init; } = -1;

        public static byte[] Image(int index) => [.. Enumerable.Range(0, Shape.Elements).Select(i => (byte)((index * 11) + i))];

        public void Read(int index, Span<byte> pixels)
        {
            if (index == Bad)
                throw new DataException($"{index}.jpg: is damaged");
            Image(index).CopyTo(pixels);
            lock (_gate)
            {
                _read++;
                foreach ((int count, TaskCompletionSource reached) in _awaited)
                {
                    if (_read >= count)
                        reached.TrySetResult();
                }
            }
        }

        public Task HasRead(int count)
        {
            lock (_gate)
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_read >= count)
                    reached.SetResult();
                _awaited.Add((count, reached));
                return reached.Task;
            }
        }
    }
}
