using System.Collections.Concurrent;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Workers;

namespace ConvNet.Cluster.Tests.Workers;

/// <summary>One worker and four shards, put together by hand: what is sent while the backward pass is still running.</summary>
public sealed class BucketTests : IDisposable
{
    private const int Shards = 4, Top = Shards - 1;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ManualResetEventSlim _bottom = new();
    private readonly WatchedTransport _transport = new();
    private readonly DedicatedThreads _threads = new();
    private readonly ToyRuntime _runtime;
    private readonly ShardEngine[] _shards;
    private readonly WorkerEngine _worker;

    public BucketTests()
    {
        // The lane has all but its lowest "layer" and waits there, in the only micro-batch of step 0.
        _runtime = new ToyRuntime
        {
            Plan = new(TrainingSamples: 8, TestSamples: 0, Batch: 4, MicroBatch: 4, Epochs: 1),
            AfterPart = (step, _, offset) =>
            {
                if (step == 0 && offset is > 0 and < 16)
                    _bottom.Wait(Patience);
            },
        };
        var plan = new ShardPlan(_runtime.Layout, Shards);
        _shards = [.. Enumerable.Range(0, Shards).Select(s => new ShardEngine(new("job", s, plan, _runtime, _transport, null), _transport.Told))];
        foreach (var shard in _shards)
            shard.Start(_threads);
        _transport.Await(m => m is ShardProtocol.ShardStarted, Shards);
        var targets = Enumerable.Range(0, Shards).Select(s => new TensorTarget(_transport.Endpoint, "job", $"shard-{s}")).ToArray();
        _worker = new WorkerEngine(new("job", 0, Lanes: 1, plan, targets, _runtime, _transport, Fault.None), _transport.Told);
        _worker.Start(_threads, version: 0);
        _worker.Assign(new(Number: 0, Index: 0, Weights: [1]));
    }

    public void Dispose()
    {
        _bottom.Set();
        _worker.Stop();
        foreach (var shard in _shards)
            shard.Stop();
        Assert.True(_threads.WhenAllEnded().Wait(Patience));
    }

    [Fact]
    public void Upper_shards_have_their_part_before_the_lowest_layer_is_done_and_the_lowest_has_it_when_it_is()
    {
        _transport.Await(f => f is (ContributionHeader { Step: 0 }, "shard-1"), 1);
        Assert.Equal(["shard-3", "shard-2", "shard-1"], _transport.Frames.Where(f => f.Header is ContributionHeader).Select(f => f.To));

        _bottom.Set();

        _transport.Await(f => f is (ContributionHeader { Step: 0 }, "shard-0"), 1);
    }

    [Fact]
    public void New_weights_of_the_upper_shards_come_while_the_lowest_is_still_being_summed()
    {
        _transport.Await(f => f is (WeightsHeader { Version: 1 }, _), Shards - 1);
        Assert.DoesNotContain(_transport.Frames, f => f.Header is WeightsHeader { Version: 1, Shard: 0 });

        _bottom.Set();

        _transport.Await(f => f is (WeightsHeader { Version: 1, Shard: 0 }, _), 1);
    }

    [Fact]
    public async Task The_job_ends_with_the_bits_of_the_plain_loop()
    {
        _bottom.Set();

        _transport.Await(m => m is ShardProtocol.LimitReached, Shards);

        var collected = new TaskCompletionSource<string>();
        using var collector = new StateCollector(
            "job", new ShardPlan(_runtime.Layout, Shards), [.. Enumerable.Range(0, Shards).Select(s => new TensorTarget(_transport.Endpoint, "job", $"shard-{s}"))],
            _runtime.Plan.TotalSteps, _transport, state =>
            {
                collected.SetResult(WeightsHash.Of(state.Span));
                state.Dispose();
            });
        collector.Ask();
        Assert.Equal(WeightsHash.Of(_runtime.TrainPlainly()), await collected.Task.WaitAsync(Patience));
    }

    /// <summary>Writes down frames that have arrived and messages that were told, and lets a test wait for them.</summary>
    private sealed class WatchedTransport : ITensorTransport
    {
        private readonly InProcessTransport _inner = new();
        private readonly BlockingCollection<object> _news = [];
        private readonly List<object> _seen = [];

        public IEnumerable<(ITensorHeader Header, string To)> Frames => _seen.OfType<(ITensorHeader, string)>();

        public string Endpoint => _inner.Endpoint;

        public long Refused => _inner.Refused;

        public void Told(object message) => _news.Add(message);

        public IDisposable Open(TensorTarget target, ITensorReceiver receiver) => _inner.Open(target, receiver);

        public void Send(TensorTarget target, ITensorHeader header, TensorLease values)
        {
            _inner.Send(target, header, values);
            _news.Add((header, target.Part));
        }

        /// <summary>Waits until so many of what was seen are wanted.</summary>
        public void Await(Predicate<object> wanted, int count)
        {
            while (_seen.Count(s => wanted(s)) < count)
            {
                Assert.True(_news.TryTake(out object? next, Patience), "It did not come.");
                _seen.Add(next);
            }
        }

        public void Dispose() => _inner.Dispose();
    }
}
