using System.Diagnostics;
using ConvNet.Core.Memory;
using ConvNet.Core.Networks;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Randomness;
using ConvNet.Core.Training;

namespace ConvNet.Core.Benchmarking;

/// <summary>What a training step costs without a cluster around it: forward, backward, sum and SGD with momentum, on made-up samples.</summary>
/// <param name="ImagesPerSecond">From the median step.</param>
/// <param name="Gflops">Arithmetic done per second, in 10⁹ operations; a multiply-add is two.</param>
/// <param name="Steps">Steps timed.</param>
/// <param name="FirstStep">How long the first step took, compilation of the kernels included.</param>
/// <param name="FirstStepEnded">When the first step had ended, by the clock.</param>
public sealed record StepMeasurement(double ImagesPerSecond, double Gflops, int Steps, TimeSpan FirstStep, DateTime FirstStepEnded);

/// <summary>Measures training steps on a number of threads.</summary>
public static class StepMeter
{
    /// <summary>Times whole steps for about <paramref name="duration"/>.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">Samples of a step.</param>
    /// <param name="microBatch">Samples of a micro-batch; divides the batch.</param>
    /// <param name="lanes">Threads that compute micro-batches side by side.</param>
    /// <param name="duration">How long to measure, after a warm-up.</param>
    public static StepMeasurement Measure(Network network, int batch, int microBatch, int lanes, TimeSpan duration)
    {
        using var meter = new Meter(network, batch, microBatch, lanes);
        long start = Stopwatch.GetTimestamp();
        meter.Step();
        TimeSpan first = Stopwatch.GetElapsedTime(start);
        DateTime ended = DateTime.Now;
        // The runtime recompiles hot code in the background during the first second or so.
        for (start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < duration / 3;)
            meter.Step();
        var times = new List<double>();
        for (start = Stopwatch.GetTimestamp(); times.Count < 3 || Stopwatch.GetElapsedTime(start) < duration;)
        {
            long before = Stopwatch.GetTimestamp();
            meter.Step();
            times.Add(Stopwatch.GetElapsedTime(before).TotalSeconds);
        }

        times.Sort();
        double images = batch / times[times.Count / 2];
        return new StepMeasurement(images, images * TrainingOperations(network) / 1e9, times.Count, first, ended);
    }

    /// <summary>Operations of one sample's training step: a multiply-add is two; forward, gradient by weight, and gradient by input but for the first layer.</summary>
    public static long TrainingOperations(Network network) => 2 * network.Nodes.Sum(node =>
    {
        long forward = node.Layer.MultiplyAdds(node.InputShapes);
        return forward * (node.Inputs.Contains(Network.InputNode) ? 2 : 3);
    });

    private sealed class Meter : IDisposable
    {
        private readonly Lane[] _lanes;
        private readonly AlignedBuffer _weights, _velocity;
        private readonly ContributionLayout _layout;
        private readonly Sgd _sgd = new(0.9f, 0);
        private readonly int _batch, _microBatch;
        private readonly Barrier _turn;         // all lanes and the caller: once to begin a step, once to end it
        private volatile bool _ended;

        public Meter(Network network, int batch, int microBatch, int lanes)
        {
            (_batch, _microBatch) = (batch, microBatch);
            _layout = network.Layout;
            _weights = new AlignedBuffer(_layout.Parameters);
            _velocity = new AlignedBuffer(_layout.Parameters);
            network.Initialize(_weights.Span, seed: 1);
            var plan = new ExecutionPlan(network, microBatch);
            _lanes = [.. Enumerable.Range(0, lanes).Select(_ => new Lane(plan, _layout, microBatch, batch / microBatch > lanes))];
            _turn = new Barrier(lanes);
            for (int lane = 1; lane < lanes; lane++)
            {
                int number = lane;
                new Thread(() => Follow(number)) { IsBackground = true, Name = $"lane {number}" }.Start();
            }
        }

        public void Step()
        {
            _turn.SignalAndWait();
            Compute(0);
            _turn.SignalAndWait();
            Span<float> sum = _lanes[0].Sum.Span;
            for (int lane = 1; lane < _lanes.Length; lane++)
                VectorAdd.Into(sum, _lanes[lane].Sum.Span);
            _sgd.Apply(_weights.Span, sum[.._layout.Parameters], _velocity.Span, 1f / _batch, rate: 0.001f);
        }

        public void Dispose()
        {
            _ended = true;
            _turn.SignalAndWait();
            foreach (Lane lane in _lanes)
                lane.Dispose();
            _weights.Dispose();
            _velocity.Dispose();
        }

        /// <summary>The caller's thread is lane 0; each other lane has a thread of its own that computes when the caller does.</summary>
        private void Follow(int lane)
        {
            while (true)
            {
                _turn.SignalAndWait();
                if (_ended)
                    return;
                Compute(lane);
                _turn.SignalAndWait();
            }
        }

        private void Compute(int lane) => _lanes[lane].Run(lane, _lanes.Length, _batch / _microBatch, _weights);
    }

    private sealed class Lane : IDisposable
    {
        private readonly Workspace _workspace;
        private readonly AlignedBuffer _samples;
        private readonly AlignedBuffer? _contribution;
        private readonly int _microBatch;

        public Lane(ExecutionPlan plan, ContributionLayout layout, int microBatch, bool several)
        {
            _microBatch = microBatch;
            _workspace = new Workspace(plan);
            _contribution = several ? new AlignedBuffer(layout.Length) : null;
            Sum = new AlignedBuffer(layout.Length);
            _samples = new AlignedBuffer(_workspace.Input.Length);
            var random = new Philox(1, Purpose.Test);
            for (int i = 0; i < _samples.Length; i++)
                _samples.Span[i] = random.Uniform(0, (ulong)i) - 0.5f;
            for (int i = 0; i < _workspace.Labels.Length; i++)
                _workspace.Labels[i] = i < microBatch ? i % plan.Network.Classes : -1;
        }

        public AlignedBuffer Sum { get; }

        public void Run(int first, int step, int microBatches, AlignedBuffer weights)
        {
            if (first >= microBatches)
                Sum.Span.Clear();
            for (int i = first; i < microBatches; i += step)
            {
                _samples.Span.CopyTo(_workspace.Input);
                bool alone = i == first;
                _workspace.Train(_microBatch, weights.Span, alone ? Sum.Span : _contribution!.Span);
                if (!alone)
                    VectorAdd.Into(Sum.Span, _contribution!.Span);
            }
        }

        public void Dispose()
        {
            _workspace.Dispose();
            _contribution?.Dispose();
            _samples.Dispose();
            Sum.Dispose();
        }
    }
}
