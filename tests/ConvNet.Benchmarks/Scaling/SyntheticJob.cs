using System.Diagnostics;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Shards;
using ConvNet.Core.Memory;
using ConvNet.Core.Networks;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Randomness;
using ConvNet.Core.Training;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>A job without end on made-up samples: SGD with momentum, no evaluation. Everything but the samples is as in real training.</summary>
internal sealed class SyntheticJob : IJobRuntime
{
    private readonly Network _network;
    private readonly StepRecorder? _recorder;
    private readonly Lazy<ExecutionPlan> _execution;

    /// <param name="spec">The model, batch and micro-batch.</param>
    /// <param name="recorder">Notes when steps are computed; null where none are.</param>
    public SyntheticJob(JobSpec spec, StepRecorder? recorder)
    {
        _network = ScalingNetworks.Find(spec.Model).Network;
        _recorder = recorder;
        _execution = new(() => new ExecutionPlan(_network, spec.MicroBatch));
        Plan = new StepPlan(TrainingSamples: spec.Batch * 1000, TestSamples: 0, spec.Batch, spec.MicroBatch, Epochs: 1_000_000);
        Layout = _network.Layout;
    }

    public StepPlan Plan { get; }

    public ContributionLayout Layout { get; }

    public void WriteInitialState(int start, Span<float> range) => _network.Initialize(start, range, seed: 1);

    public ISliceUpdate CreateUpdate() => new Update(_network);

    public IMicroBatchLane CreateLane() => new Lane(_execution.Value, Plan.MicroBatch, _recorder!);

    /// <summary>At so small a rate the weights stay what they are, whatever the network makes of such samples.</summary>
    private sealed class Update(Network network) : ISliceUpdate
    {
        private readonly Sgd _sgd = new(0.9f, 0.0005f);

        public int StatePlanes => 1;

        public void Apply(
            ReadOnlySpan<float> before, Span<float> weights, ReadOnlySpan<float> gradientSum, Span<float> state, float gradientScale, long step, int sliceOffset,
            ReadOnlySpan<double> totals)
        {
            const int Block = 4096;
            for (int start = 0; start < weights.Length; start += Block)
            {
                int count = Math.Min(Block, weights.Length - start);
                before.Slice(start, count).CopyTo(weights[start..]);
                _sgd.Apply(weights.Slice(start, count), gradientSum.Slice(start, count), state.Slice(start, count), gradientScale, rate: 1e-7f);
            }
        }

        public void ApplyStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches, long step) =>
            network.UpdateStatistics(running, sums, microBatches);
    }

    private sealed class Lane : IMicroBatchLane
    {
        private readonly Workspace _workspace;
        private readonly AlignedBuffer _samples;
        private readonly StepRecorder _recorder;
        private readonly int _microBatch;

        public Lane(ExecutionPlan plan, int microBatch, StepRecorder recorder)
        {
            (_workspace, _recorder, _microBatch) = (new Workspace(plan), recorder, microBatch);
            _samples = new AlignedBuffer(_workspace.Input.Length);
            var random = new Philox(1, Purpose.Test);
            for (int i = 0; i < _samples.Length; i++)
                _samples.Span[i] = random.Uniform(0, (ulong)i) - 0.5f;
            for (int i = 0; i < _workspace.Labels.Length; i++)
                _workspace.Labels[i] = i < microBatch ? i % plan.Network.Classes : -1;
        }

        public void Train(long step, int microBatch, ReadOnlySpan<float> weights, Span<float> contribution, IContributionProgress progress)
        {
            long began = Stopwatch.GetTimestamp();
            _samples.Span.CopyTo(_workspace.Input);
            _workspace.Train(_microBatch, weights, contribution, new TrainingPass(Seed: 1, step, microBatch * _microBatch), progress);
            _recorder.Computed(step, began, Stopwatch.GetTimestamp());
        }

        public void Evaluate(int microBatch, ReadOnlySpan<float> weights, Span<float> metrics) => throw new InvalidOperationException("Nothing is evaluated here.");

        public void Dispose()
        {
            _workspace.Dispose();
            _samples.Dispose();
        }
    }
}

/// <summary>Makes such jobs ready on a node.</summary>
/// <param name="recorder">The node's recorder.</param>
internal sealed class SyntheticRuntimes(StepRecorder recorder) : IJobRuntimes
{
    public Task<IJobDefinition> DefineAsync(JobSpec job, DataOrigin? data) => Task.Run<IJobDefinition>(() => new SyntheticJob(job, recorder));

    public Task<IJobRuntime> PrepareAsync(JobSpec job, DataOrigin? data, CancellationToken stop) => Task.Run<IJobRuntime>(() => new SyntheticJob(job, recorder), stop);
}
