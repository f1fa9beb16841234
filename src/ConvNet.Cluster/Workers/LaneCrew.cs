using System.Diagnostics;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Threads;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Workers;

/// <summary>A worker's lanes: dedicated threads, each with an arena of its own, that fetch micro-batches until the worker stops.</summary>
internal sealed class LaneCrew
{
    private readonly WorkerJob _job;
    private readonly WorkerEngine _engine;
    private readonly Parker[] _parkers;
    private int _running;

    public LaneCrew(WorkerJob job, WorkerEngine engine)
    {
        (_job, _engine) = (job, engine);
        _parkers = new Parker[job.Lanes];
        for (int lane = 0; lane < job.Lanes; lane++)
            _parkers[lane] = new(spins: true);
    }

    /// <summary>Starts all lanes.</summary>
    public void Start(DedicatedThreads threads)
    {
        _running = _parkers.Length;
        for (int lane = 0; lane < _parkers.Length; lane++)
        {
            int number = lane;
            threads.Start($"worker {_job.Worker} lane {number}", () => Run(number));
        }
    }

    /// <summary>There may be work: all lanes look.</summary>
    public void Wake()
    {
        foreach (var parker in _parkers)
            parker.Unpark();
    }

    private void Run(int lane)
    {
        try
        {
            using var compute = _job.Runtime.CreateLane();
            var parts = new ContributionParts(_job.Shards, _engine.Delivery);
            while (true)
            {
                bool taken = _engine.TryTake(out var phase, out int microBatch, out bool stopped);
                if (stopped && !taken)
                    break;
                if (taken)
                    Compute(compute, parts, phase, microBatch);
                else
                    _parkers[lane].Park();
            }
        }
        catch (Exception e)
        {
            // A lane may fail of anything that is computed on it. The worker cannot go on without it: others take over.
            _engine.Fail(new LaneFailedException(_job.Worker, lane, e));
        }
        finally
        {
            if (Interlocked.Decrement(ref _running) == 0)
                _engine.Release();
        }
    }

    private void Compute(IMicroBatchLane compute, ContributionParts parts, Phase phase, int microBatch)
    {
        if (!phase.Trains)
        {
            Evaluate(compute, phase, microBatch);
            return;
        }

        using var sum = _engine.Rent(phase);
        _job.Faults.At(FaultPoint.BeforeCompute, _job.Worker, phase.Version);
        parts.Begin(phase, microBatch, sum);
        long began = Stopwatch.GetTimestamp();
        try
        {
            compute.Train(phase.Version, microBatch, phase.Weights.Values.Span, sum.Span, parts);
        }
        catch (LossNotFiniteException e)
        {
            // Another worker would find the same. The job is over, and the coordinator says so.
            _engine.DoneReading(phase);
            _engine.Diverged(phase, microBatch, e);
            return;
        }

        _engine.Computed(Stopwatch.GetElapsedTime(began));
        _job.Faults.At(FaultPoint.DuringCompute, _job.Worker, phase.Version);
        _engine.DoneReading(phase);
        parts.HandOverRest();
    }

    private void Evaluate(IMicroBatchLane compute, Phase phase, int microBatch)
    {
        var sum = _engine.Rent(phase);
        try
        {
            compute.Evaluate(microBatch, phase.Weights.Values.Span, sum.Span);
            _job.Faults.At(FaultPoint.DuringEvaluation, _job.Worker, phase.Version);
        }
        catch
        {
            sum.Dispose();
            throw;
        }

        _engine.DoneReading(phase);
        _engine.Delivery.Deliver(phase, part: 0, TreeNode.Leaf(microBatch), sum);
    }
}

/// <summary>A lane of a worker has failed.</summary>
public sealed class LaneFailedException(int worker, int lane, Exception inner)
    : Exception($"worker {worker}, lane {lane}: {(inner is WorkerKilledException ? "" : inner.GetType().Name + ": ")}{inner.Message}", inner);
