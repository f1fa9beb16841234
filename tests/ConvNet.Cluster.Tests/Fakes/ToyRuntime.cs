using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>A job whose gradients are made of hashes of (step, micro-batch, element) and of the weights: cheap, and any mistake changes every bit after it.</summary>
public sealed class ToyRuntime : IJobRuntime
{
    public StepPlan Plan { get; init; } = new(TrainingSamples: 50, TestSamples: 23, Batch: 20, MicroBatch: 4, Epochs: 3);

    public ContributionLayout Layout { get; init; } = new(Parameters: 203, Statistics: 6);

    /// <summary>What each lane does before it trains a micro-batch.</summary>
    public Action<long, int> BeforeTrain { get; init; } = (_, _) => { };

    /// <summary>What each lane does after it has said how much of a contribution is final: step, micro-batch, and the offset that it said.</summary>
    public Action<long, int, int> AfterPart { get; init; } = (_, _, _) => { };

    /// <summary>The loss sum of a micro-batch, if it is to be another.</summary>
    public Func<long, float?> Loss { get; init; } = _ => null;

    /// <summary>How many of the test set are right, by weight 7, if it is to be other than nearly all.</summary>
    public Func<float, int>? Correct { get; init; }

    public int LanesAlive => Volatile.Read(ref _lanesAlive);

    private int _lanesAlive;

    public void WriteInitialState(int start, Span<float> range)
    {
        for (int i = 0; i < range.Length; i++)
            range[i] = Noise(-1, 0, start + i);
    }

    public IMicroBatchLane CreateLane()
    {
        Interlocked.Increment(ref _lanesAlive);
        return new Lane(this);
    }

    public ISliceUpdate CreateUpdate() => new MomentumSgd();

    /// <summary>The same job without any cluster: a loop, and the sum as DESIGN defines it.</summary>
    public float[] TrainPlainly(long? steps = null)
    {
        float[] state = new float[Layout.StateLength];
        WriteInitialState(0, state);
        float[] momentum = new float[Layout.Parameters];
        var lane = new Lane(this);
        var update = new MomentumSgd();
        for (long step = 0; step < (steps ?? Plan.TotalSteps); step++)
        {
            int v = Plan.MicroBatchesOf(step);
            float[][] parts = [.. Enumerable.Range(0, v).Select(m =>
            {
                float[] part = new float[Layout.Length];
                lane.Train(step, m, state, part, Ignored.Instance);
                return part;
            })];
            float[] sum = CanonicalSum(parts, 0, v);
            update.Apply(state.AsSpan(0, Layout.Parameters), state.AsSpan(0, Layout.Parameters), sum.AsSpan(0, Layout.Parameters), momentum, 1f / Plan.SamplesOf(step), step, 0, []);
            update.ApplyStatistics(state.AsSpan(Layout.Parameters), sum.AsSpan(Layout.Parameters, Layout.Statistics), v, step);
        }

        return state;
    }

    /// <summary>The definition: split at the largest power of two below the length; left + right.</summary>
    public static float[] CanonicalSum(float[][] parts, int start, int end)
    {
        if (end - start == 1)
            return parts[start];
        int half = 1;
        while (half * 2 < end - start)
            half *= 2;
        float[] left = CanonicalSum(parts, start, start + half), right = CanonicalSum(parts, start + half, end);
        return [.. left.Zip(right, (l, r) => l + r)];
    }

    private static float Noise(long a, long b, long c)
    {
        ulong x = unchecked((ulong)a * 0x9E3779B97F4A7C15 + (ulong)b * 0x2545F4914F6CDD1D + (ulong)c * 0x5851F42D4C957F2D + 1442695040888963407);
        x ^= x >> 31;
        x *= 0xBF58476D1CE4E5B9;
        x ^= x >> 29;
        return ((int)(x & 0xFFFFFF) - 0x800000) / (float)0x800000;
    }

    private const int LayerLength = 9;

    private sealed class Ignored : IContributionProgress
    {
        public static readonly Ignored Instance = new();

        public void FinalFrom(int offset)
        {
        }
    }

    private sealed class Lane(ToyRuntime job) : IMicroBatchLane
    {
        public void Train(long step, int microBatch, ReadOnlySpan<float> weights, Span<float> contribution, IContributionProgress progress)
        {
            job.BeforeTrain(step, microBatch);
            contribution.Clear();
            int parameters = job.Layout.Parameters, samples = job.Plan.Positions(step, microBatch).Count;
            for (int i = 0; i < job.Layout.Statistics; i++)
                contribution[parameters + i] = Noise(step, microBatch, -1 - i) + weights[parameters + i];
            Measure(contribution[job.Layout.MetricsOffset..], job.Loss(step) ?? Math.Abs(weights[5]) * samples, samples);

            // From the top down, as a backward pass would, in "layers" that do not end where shards do.
            for (int i = parameters - 1; i >= 0; i--)
            {
                contribution[i] = weights[i] * 0.1f + Noise(step, microBatch, i) * weights[(i * 7 + 3) % parameters];
                if (i % LayerLength != 0)
                    continue;
                progress.FinalFrom(i);
                job.AfterPart(step, microBatch, i);
            }
        }

        public void Evaluate(int microBatch, ReadOnlySpan<float> weights, Span<float> metrics)
        {
            Measure(metrics, Math.Abs(weights[7]) + microBatch, job.Plan.EvaluationSamples(microBatch).Count);
            if (job.Correct is { } correct)
                metrics[ContributionLayout.Top1Correct] = microBatch == 0 ? correct(weights[7]) : 0;
        }

        public void Dispose() => Interlocked.Decrement(ref job._lanesAlive);

        private static void Measure(Span<float> metrics, float loss, int samples)
        {
            metrics.Clear();
            metrics[ContributionLayout.LossSum] = loss;
            metrics[ContributionLayout.Top1Correct] = samples - 1;
            metrics[ContributionLayout.Samples] = samples;
        }
    }

    private sealed class MomentumSgd : ISliceUpdate
    {
        public int StatePlanes => 1;

        public void Apply(
            ReadOnlySpan<float> before, Span<float> weights, ReadOnlySpan<float> gradientSum, Span<float> state, float gradientScale, long step, int sliceOffset,
            ReadOnlySpan<double> totals)
        {
            float rate = 0.1f / (1 + step);
            for (int i = 0; i < weights.Length; i++)
            {
                state[i] = 0.9f * state[i] + gradientSum[i] * gradientScale + (sliceOffset + i) * 1e-6f;
                weights[i] = before[i] - rate * state[i];
            }
        }

        public void ApplyStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches, long step)
        {
            for (int i = 0; i < running.Length; i++)
                running[i] = 0.9f * running[i] + 0.1f * (sums[i] / microBatches);
        }
    }
}
