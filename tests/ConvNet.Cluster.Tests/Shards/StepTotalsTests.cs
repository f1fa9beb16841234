using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Numerics;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Tests.Shards;

/// <summary>Shards that add up what a step needs of all of them, over a transport that loses frames.</summary>
public sealed class StepTotalsTests : IDisposable
{
    private const int Shards = 3;

    private readonly List<ITensorHeader> _sent = [];
    private readonly FaultyTransport _transport;
    private readonly StepTotals[] _totals;
    private readonly TensorTarget[] _targets;
    private readonly List<IDisposable> _open = [];
    private Func<ITensorHeader, bool> _loses = _ => false;

    public StepTotalsTests()
    {
        _transport = new FaultyTransport((header, values, deliver) =>
        {
            _sent.Add(header);
            if (_loses(header))
                values.Dispose();
            else
                deliver(header, values);
        });
        var plan = new ShardPlan(new(Parameters: 100, Statistics: 0), Shards);
        var jobs = Enumerable.Range(0, Shards).Select(shard => new ShardJob("j1.1", shard, plan, new Definition(), _transport, null)).ToArray();
        _totals = [.. jobs.Select(job => new StepTotals(job))];
        _targets = [.. jobs.Select(job => job.Target)];
        for (int shard = 0; shard < Shards; shard++)
            _open.Add(_transport.Open(_targets[shard], new Receiver(jobs[shard], _totals[shard])));
    }

    public void Dispose()
    {
        _open.ForEach(o => o.Dispose());
        Array.ForEach(_totals, t => t.Dispose());
        _transport.Dispose();
    }

    [Fact]
    public void Every_shard_gets_the_totals_of_every_step()
    {
        Meet();
        for (long step = 0; step < 4; step++)
        {
            foreach (int shard in (int[])[2, 0, 1])
            {
                Assert.All(_totals, t => Assert.False(t.IsComplete(step)));
                Offer(shard, step);
            }

            AssertTotals(step);
        }

        Assert.Equal(4 * 2 * (Shards - 1), _sent.Count);
    }

    [Fact]
    public void Shards_that_have_not_met_yet_wait()
    {
        for (int shard = 0; shard < Shards; shard++)
            Offer(shard, 0);
        Assert.Empty(_sent);

        Meet();

        AssertTotals(0);
    }

    [Fact]
    public void What_is_lost_is_made_good_by_asking_again()
    {
        Meet();
        _loses = header => header is StepSumsHeader { Shard: 0 };
        for (int shard = 0; shard < Shards; shard++)
            Offer(shard, 0);
        Assert.All(_totals, t => Assert.False(t.IsComplete(0)));

        _loses = header => header is StepTotalsHeader;
        AskAgain();
        Assert.Equal([false, false, true], _totals.Select(t => t.IsComplete(0)));

        _loses = _ => false;
        AskAgain();
        AssertTotals(0);
    }

    [Fact]
    public void What_comes_twice_or_late_counts_once()
    {
        Meet();
        Offer(0, 0);
        AskAgain();
        AskAgain();
        Offer(1, 0);
        Offer(2, 0);
        AssertTotals(0);
        AskAgain();
        for (int shard = 0; shard < Shards; shard++)
            Offer(shard, 1);

        AssertTotals(1);
    }

    private void Meet() => Array.ForEach(_totals, t => t.Meet(_targets));

    private void AskAgain() => Array.ForEach(_totals, t => t.AskAgain());

    private void Offer(int shard, long step)
    {
        _totals[shard].BeginPart(step)[0].Add((shard + 1) * 100 + step);
        _totals[shard].Offer();
    }

    private void AssertTotals(long step) => Assert.All(_totals, t =>
    {
        Assert.True(t.IsComplete(step));
        Assert.Equal(600 + (3 * step), t.Values[0]);
    });

    private sealed class Receiver(ShardJob job, StepTotals totals) : ITensorReceiver
    {
        public TensorDestination Accept(ITensorHeader header, int length) =>
            ShardAdmission.Judge(job, header, length) is { } refusal ? TensorDestination.Refuse(refusal) : TensorDestination.Keep(totals.Frames);

        public void Arrived(ITensorHeader header, TensorLease values)
        {
            using (values)
            {
                if (header is StepSumsHeader part)
                    totals.OnPart(part, values.Span);
                else
                    totals.OnTotals((StepTotalsHeader)header, values.Span);
            }
        }

        public void Abandoned(ITensorHeader header)
        {
            // As in the engine.
        }
    }

    private sealed class Definition : IJobDefinition, ISliceUpdate
    {
        public StepPlan Plan { get; } = new(TrainingSamples: 10, TestSamples: 0, Batch: 2, MicroBatch: 2, Epochs: 1);

        public ContributionLayout Layout { get; } = new(Parameters: 100, Statistics: 0);

        public int StatePlanes => 0;

        public int Sums => 1;

        public void WriteInitialState(int start, Span<float> range) => range.Clear();

        public ISliceUpdate CreateUpdate() => this;

        public void Apply(
            ReadOnlySpan<float> before, Span<float> weights, ReadOnlySpan<float> gradientSum, Span<float> state, float gradientScale, long step, int sliceOffset,
            ReadOnlySpan<double> totals) =>
            throw new InvalidOperationException("Nothing is applied here.");

        public void ApplyStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches, long step) =>
            throw new InvalidOperationException("There are none.");
    }
}
