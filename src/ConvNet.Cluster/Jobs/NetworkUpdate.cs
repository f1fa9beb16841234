using ConvNet.Cluster.Shards;
using ConvNet.Core.Networks;
using ConvNet.Core.Numerics;
using ConvNet.Core.Optimizers;
using Rates = ConvNet.Core.Schedules.LearningRateSchedule;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job's recipe applied to slices of a network's parameters: rate, clipping, which tensors decay, the optimizer.</summary>
/// <remarks>
/// Order: the mean gradient, 0 where a parameter is frozen; cut by value; shortened by norm; then the optimizer, which adds the decay. All shards of a step work out the same factors
/// from the same totals.
/// <code>
/// totals, where only the gradient's norm is needed   [ Σ g² ]
/// totals, where norms by tensor are needed           [ Σ g², Σ w² of tensor 0 | of tensor 1 | … ]
/// </code>
/// </remarks>
internal sealed class NetworkUpdate : ISliceUpdate
{
    /// <summary>Parameters that are treated alike.</summary>
    private readonly record struct Run(int Start, int End, bool Decays, int Tensor);

    /// <summary>Weights that are copied and then changed while they are in the first cache; each is changed by itself, so blocks cannot change the bits.</summary>
    private const int Block = 4096;

    private readonly Network _network;
    private readonly Optimizer _optimizer, _withoutDecay;
    private readonly Rates _schedule;
    private readonly long _totalSteps;
    private readonly float _rate, _clipValue;
    private readonly double _clipNorm;
    private readonly Run[] _runs;                     // of what is learned
    private readonly Run[] _frozen;
    private readonly Statistic[] _frozenStatistics;

    /// <summary>Plans the updates of a job.</summary>
    public NetworkUpdate(Network network, JobSpec spec, Rates schedule, long totalSteps)
    {
        (_network, _schedule, _totalSteps) = (network, schedule, totalSteps);
        _optimizer = Recipe.OptimizerOf(spec);
        _withoutDecay = _optimizer with { WeightDecay = 0 };
        (_rate, _clipValue, _clipNorm) = (spec.LearningRate, spec.ClipValue, spec.ClipNorm);
        bool[] decays = DecayExclusions.Parse(spec.DecayExclude)!.Decays(network);
        (bool[] frozen, bool[] still) = FrozenTensors.Parse(spec.Freeze)!.Of(network);
        _frozen = [.. network.Parameters.Where((_, i) => frozen[i]).Select(p => new Run(p.Offset, p.Offset + p.Length, Decays: false, Tensor: -1))];
        _frozenStatistics = [.. network.Statistics.Where((_, i) => still[i])];
        var runs = new List<Run>();
        for (int i = 0; i < decays.Length; i++)
        {
            Parameter p = network.Parameters[i];
            if (frozen[i])
                continue;
            if (!_optimizer.UsesTensorNorms && runs.Count > 0 && runs[^1].Decays == decays[i] && runs[^1].End == p.Offset)
                runs[^1] = runs[^1] with { End = p.Offset + p.Length };
            else
                runs.Add(new(p.Offset, p.Offset + p.Length, decays[i], runs.Count));
        }

        _runs = [.. runs];
    }

    /// <inheritdoc/>
    public int StatePlanes => _optimizer.StatePlanes;

    /// <inheritdoc/>
    public int Sums => _optimizer.UsesTensorNorms ? 2 * _runs.Length : _clipNorm > 0 ? 1 : 0;

    /// <inheritdoc/>
    public void Prepare(ReadOnlySpan<float> weights, Span<float> gradientSum, float gradientScale, int sliceOffset, Span<ExactSum> sums)
    {
        foreach (Run run in _frozen)
        {
            if (Within(run, sliceOffset, weights.Length) is { } part)
                gradientSum.Slice(part.Start, part.Length).Clear();   // no part of any norm
        }

        if (_clipValue > 0)
            GradientClipping.ByValue(gradientSum, gradientScale, _clipValue);
        if (_optimizer.UsesTensorNorms)
        {
            foreach (Run run in _runs)
            {
                if (Within(run, sliceOffset, weights.Length) is not { } part)
                    continue;
                GradientClipping.AddSquares(gradientSum.Slice(part.Start, part.Length), sliceOffset + part.Start, ref sums[2 * run.Tensor]);
                GradientClipping.AddSquares(weights.Slice(part.Start, part.Length), sliceOffset + part.Start, ref sums[(2 * run.Tensor) + 1]);
            }
        }
        else if (_clipNorm > 0)
        {
            GradientClipping.AddSquares(gradientSum, sliceOffset, ref sums[0]);
        }
    }

    /// <inheritdoc/>
    public void Apply(
        ReadOnlySpan<float> before, Span<float> weights, ReadOnlySpan<float> gradientSum, Span<float> state, float gradientScale, long step, int sliceOffset,
        ReadOnlySpan<double> totals)
    {
        int length = weights.Length;
        float mean = _clipValue > 0 ? 1 : gradientScale;   // cut by value it is the mean already
        float scale = _clipNorm > 0 ? (float)(mean * GradientClipping.Factor(mean * Math.Sqrt(GradientSquares(totals)), _clipNorm)) : mean;
        var slice = new OptimizerSlice(weights, gradientSum, StatePlanes > 0 ? state[..length] : default, StatePlanes > 1 ? state.Slice(length, length) : default);
        var now = new OptimizerStep(step, scale, _rate * _schedule.Share(step, _totalSteps));
        for (int start = 0; start < length; start += Block)
        {
            int count = Math.Min(Block, length - start);
            before.Slice(start, count).CopyTo(weights[start..]);   // of what is frozen, too
            foreach (Run run in _runs)
            {
                if (Within(run, sliceOffset + start, count) is { } part)
                    Apply(run, slice.Slice(start + part.Start, part.Length), now, scale, totals);
            }
        }
    }

    /// <inheritdoc/>
    public void ApplyStatistics(Span<float> running, ReadOnlySpan<float> sums, int microBatches, long step)
    {
        float[] before = _frozenStatistics.Length > 0 ? running.ToArray() : [];
        _network.UpdateStatistics(running, sums, microBatches);
        foreach (Statistic still in _frozenStatistics)
            before.AsSpan(still.Offset, still.Length).CopyTo(running.Slice(still.Offset, still.Length));
    }

    private void Apply(Run run, OptimizerSlice slice, in OptimizerStep step, float scale, ReadOnlySpan<double> totals)
    {
        float trust = run.Decays && _optimizer.UsesTensorNorms
            ? _optimizer.Trust(Math.Sqrt(totals[(2 * run.Tensor) + 1]), scale * Math.Sqrt(totals[2 * run.Tensor]))
            : 1;
        (run.Decays ? _optimizer : _withoutDecay).Apply(slice, step with { Trust = trust });
    }

    private double GradientSquares(ReadOnlySpan<double> totals)
    {
        if (!_optimizer.UsesTensorNorms)
            return totals[0];
        double sum = 0;
        for (int tensor = 0; tensor < _runs.Length; tensor++)
            sum += totals[2 * tensor];
        return sum;
    }

    /// <summary>The part of a run that lies in a slice, from the slice's start; null where none does.</summary>
    private static FloatRange? Within(Run run, int sliceOffset, int length)
    {
        int start = Math.Max(run.Start - sliceOffset, 0), end = Math.Min(run.End - sliceOffset, length);
        return start < end ? new(start, end - start) : null;
    }
}
