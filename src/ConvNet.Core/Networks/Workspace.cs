using System.Diagnostics;
using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Kernels.Losses;
using ConvNet.Core.Layers;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Training;

namespace ConvNet.Core.Networks;

/// <summary>One lane's memory for a plan, and the passes over it. Used by one thread at a time; allocates nothing after it is made.</summary>
public sealed unsafe class Workspace : IDisposable
{
    private readonly ExecutionPlan _plan;
    private readonly AlignedBuffer _arena, _scratch;
    private readonly nint[][] _inputs, _inputGradients;
    private readonly int[] _labels;

    /// <summary>Allocates the arena.</summary>
    public Workspace(ExecutionPlan plan)
    {
        _plan = plan;
        _arena = new AlignedBuffer(plan.ArenaLength);
        _scratch = new AlignedBuffer(plan.ScratchLength);
        _labels = new int[plan.Blocks * Stripes.Count];
        _inputs = [.. plan.Steps.Select(s => s.Node.Inputs.Select(i =>
            (nint)(_arena.Pointer + (i == Network.InputNode ? plan.FirstOffset : plan.Steps[i].Activation.Offset))).ToArray())];
        _inputGradients = [.. plan.Steps.Select(s => s.InputGradients.Select(g => g == null ? 0 : (nint)(_arena.Pointer + g.Offset)).ToArray())];
    }

    /// <summary>The samples of a micro-batch, <c>[block][C][H][W][16]</c>: sample s is lane s mod 16 of block s / 16. To be filled before each pass.</summary>
    /// <remarks>Filled anew before each pass: the arena may use the place for something else meanwhile. Lanes without a sample hold zeros.</remarks>
    public Span<float> Input => new(_arena.Pointer + _plan.InputOffset, _plan.Network.Input.Elements * _plan.Blocks * Stripes.Count);

    /// <summary>The samples' classes, one for each lane of each block; −1 where the lane holds no sample.</summary>
    public Span<int> Labels => _labels;

    /// <summary>Where layers' times are noted; null for nowhere.</summary>
    internal PassTimes? Times { get; set; }

    /// <summary>Forward and backward over the samples in <see cref="Input"/>.</summary>
    /// <param name="samples">Samples there.</param>
    /// <param name="weights">The flat parameter buffer.</param>
    /// <param name="contribution">Overwritten: gradients of the sum of the losses, with auxiliary ones by their weight; statistics; metrics, which are the main output's.</param>
    /// <param name="pass">What the pass depends on besides samples and weights.</param>
    /// <param name="progress">Is told layer by layer, during the backward pass, from where on the contribution is final.</param>
    /// <exception cref="LossNotFiniteException">The loss is not finite. Nothing of the contribution is final, and the input is lost; <see cref="NotFinite"/> says more.</exception>
    public void Train(int samples, ReadOnlySpan<float> weights, Span<float> contribution, in TrainingPass pass = default, IContributionProgress? progress = null)
    {
        int blocks = CheckedBlocks(samples, weights, _plan.Network.ParameterCount);
        CheckLabels(samples, blocks);
        ContributionLayout layout = _plan.Network.Layout;
        if (contribution.Length != layout.Length)
            throw new ArgumentException($"A contribution of {_plan.Network.Name} is {layout.Length} floats, got {contribution.Length}.", nameof(contribution));
        fixed (float* parameters = weights, gradients = contribution)
        {
            var context = new PassContext(Trains: true, pass.Seed, pass.Step, pass.FirstSample, samples);
            float* statistics = gradients + layout.Parameters;
            Forward(parameters, statistics, blocks, context);
            SoftmaxCrossEntropy.Result loss = LossOf(_plan.Steps[^1], blocks, pass.LabelSmoothing);
            ThrowIfNotFinite(loss.LossSum);
            WriteMetrics(loss, contribution[layout.MetricsOffset..]);
            foreach (AuxiliaryOutput auxiliary in _plan.Network.Auxiliaries)
                AuxiliaryLoss(auxiliary, blocks, pass.LabelSmoothing);
            Backward(parameters, gradients, blocks, context, progress);
        }
    }

    /// <summary>Forward over the samples in <see cref="Input"/>.</summary>
    /// <param name="samples">Samples there.</param>
    /// <param name="weights">The parameters and the running statistics.</param>
    /// <param name="metrics">Overwritten: <see cref="ContributionLayout.MetricsLength"/> floats.</param>
    /// <param name="predicted">Overwritten, if it is not empty: the class of each sample that has the greatest score, the lowest of equally great ones; −1 where all scores are NaN.</param>
    /// <param name="probabilities">Overwritten, if it is not empty: <c>[samples, classes]</c>, as <see cref="Predict"/> gives them.</param>
    public void Evaluate(int samples, ReadOnlySpan<float> weights, Span<float> metrics, Span<int> predicted = default, Span<float> probabilities = default)
    {
        int blocks = CheckedBlocks(samples, weights, _plan.Network.StateLength);
        CheckLabels(samples, blocks);
        if (!predicted.IsEmpty && predicted.Length != samples)
            throw new ArgumentException($"Classes of {samples} samples are {samples} numbers, got {predicted.Length}.", nameof(predicted));
        if (metrics.Length != ContributionLayout.MetricsLength)
            throw new ArgumentException($"Metrics are {ContributionLayout.MetricsLength} floats, got {metrics.Length}.", nameof(metrics));
        fixed (float* parameters = weights)
            Forward(parameters, parameters + _plan.Network.ParameterCount, blocks, Evaluation(samples));
        WriteMetrics(LossOf(_plan.Steps[^1], blocks, smoothing: 0), metrics);
        for (int sample = 0; sample < predicted.Length; sample++)
            predicted[sample] = Greatest(sample);
        if (!probabilities.IsEmpty)
            WriteProbabilities(samples, blocks, probabilities);
    }

    /// <summary>The probabilities of the classes for the samples in <see cref="Input"/>.</summary>
    /// <param name="samples">Samples there.</param>
    /// <param name="weights">The parameters and the running statistics.</param>
    /// <param name="probabilities">Overwritten: <c>[samples, classes]</c>.</param>
    public void Predict(int samples, ReadOnlySpan<float> weights, Span<float> probabilities)
    {
        int blocks = CheckedBlocks(samples, weights, _plan.Network.StateLength);
        fixed (float* parameters = weights)
            Forward(parameters, parameters + _plan.Network.ParameterCount, blocks, Evaluation(samples));
        WriteProbabilities(samples, blocks, probabilities);
    }

    /// <summary>Finds out why a training pass over the samples in <see cref="Input"/>, which is to be filled anew, gives a loss that is not finite. Slow.</summary>
    /// <param name="samples">Samples there.</param>
    /// <param name="weights">The flat parameter buffer.</param>
    /// <param name="pass">That of the training pass.</param>
    /// <returns>What is not finite first, in the order of the layers, as a clause: <c>layer conv2 gave NaN</c>.</returns>
    public string NotFinite(int samples, ReadOnlySpan<float> weights, in TrainingPass pass)
    {
        int blocks = CheckedBlocks(samples, weights, _plan.Network.ParameterCount);
        var context = new PassContext(Trains: true, pass.Seed, pass.Step, pass.FirstSample, samples);
        using var statistics = new AlignedBuffer(Math.Max(1, _plan.Network.StatisticCount));
        if (NotFiniteIn(_arena.Pointer + _plan.InputOffset, new Extent(_plan.Network.Input, Layout.Samples), samples) is { } input)
            return $"the samples have {input}";
        LayOutInput(samples);
        fixed (float* parameters = weights)
        {
            for (int i = 0; i < _plan.Steps.Count; i++)
            {
                ExecutionPlan.Step step = _plan.Steps[i];
                foreach (float weight in weights.Slice(step.Node.FirstParameter, step.Node.ParameterCount))
                {
                    if (!float.IsFinite(weight))
                        return $"weights of layer {step.Node.Name} are {Named(weight)}";
                }

                if (!step.ForwardDone)
                    step.Operation.Forward(FrameOf(i, parameters, null, statistics.Pointer, blocks, context));
                if (NotFiniteIn(At(step.Activation), step.Output, samples) is { } output)
                    return $"layer {step.Node.Name} gave {output}";
            }
        }

        return "every layer is finite, the loss itself is not";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arena.Dispose();
        _scratch.Dispose();
    }

    private int Greatest(int sample)
    {
        int classes = _plan.Network.Classes, greatest = -1;
        float* scores = At(_plan.Steps[^1].Activation) + (sample / Stripes.Count * classes * Stripes.Count) + (sample % Stripes.Count);
        for (int c = 0; c < classes; c++)
        {
            float score = scores[c * Stripes.Count];
            if (!float.IsNaN(score) && (greatest < 0 || score > scores[greatest * Stripes.Count]))
                greatest = c;
        }

        return greatest;
    }

    private static PassContext Evaluation(int samples) => new(Trains: false, Seed: 0, Step: 0, FirstSample: 0, samples);

    private void Forward(float* parameters, float* statistics, int blocks, PassContext pass)
    {
        LayOutInput(pass.Samples);
        for (int i = 0; i < _plan.Steps.Count; i++)
        {
            ExecutionPlan.Step step = _plan.Steps[i];
            if (step.ForwardDone || (!pass.Trains && step.TrainingOnly))
                continue;
            long start = Times == null ? 0 : Stopwatch.GetTimestamp();
            step.Operation.Forward(FrameOf(i, parameters, null, statistics, blocks, pass));
            Times?.AddForward(i, start);
        }
    }

    /// <summary>Brings the samples into the layout that the first layer reads.</summary>
    private void LayOutInput(int samples)
    {
        if (_plan.Pixels is { } pixels)
            LaneChange.ToPixels(_arena.Pointer + _plan.InputOffset, _arena.Pointer + _plan.FirstOffset, _plan.Network.Input, pixels.Padded, pixels.Top, pixels.Left, samples);
    }

    private void Backward(float* parameters, float* gradients, int blocks, PassContext pass, IContributionProgress? progress)
    {
        int final = int.MaxValue;
        for (int i = _plan.Steps.Count - 1; i >= 0; i--)
        {
            ExecutionPlan.Step step = _plan.Steps[i];
            if (!step.LeadsToParameters)
                continue;
            long start = Times == null ? 0 : Stopwatch.GetTimestamp();
            step.Operation.Backward(FrameOf(i, parameters, gradients, null, blocks, pass));
            for (int k = 0; k < step.AddTo.Length; k++)
            {
                if (step.AddTo[k] is not { } sum)
                    continue;
                Extent input = _plan.Steps[step.Node.Inputs[k]].Output;
                int length = input.Units(pass.Samples) * input.UnitFloats;
                Widest.Run<AddKernel, ElementwiseArguments>(new ElementwiseArguments(At(sum), At(step.InputGradients[k]!), At(sum), length));
            }

            Times?.AddBackward(i, start);
            if (step.FinalFrom < final)
                progress?.FinalFrom(final = step.FinalFrom);
        }
    }

    private Frame FrameOf(int i, float* parameters, float* gradients, float* statistics, int blocks, PassContext pass)
    {
        ExecutionPlan.Step step = _plan.Steps[i];
        return new Frame
        {
            Inputs = _inputs[i],
            InputGradients = _inputGradients[i],
            Output = At(step.Activation),
            OutputGradient = step.Gradient == null ? null : At(step.Gradient),
            Parameters = parameters + step.Node.FirstParameter,
            ParameterGradients = gradients == null ? null : gradients + step.Node.FirstParameter,
            Statistics = statistics == null ? null : statistics + step.Node.FirstStatistic,
            Saved = step.Saved == null ? null : At(step.Saved),
            Layer = i,
            Pass = pass,
            Scratch = _scratch.Pointer,
            Blocks = blocks,
        };
    }

    private static void ThrowIfNotFinite(float loss)
    {
        if (!float.IsFinite(loss))
            throw new LossNotFiniteException(loss, "a layer gave what is not finite");
    }

    private SoftmaxCrossEntropy.Result LossOf(ExecutionPlan.Step output, int blocks, float smoothing) => SoftmaxCrossEntropy.Run(
        At(output.Activation), _labels, _plan.Network.Classes, blocks, At(output.Gradient!), _arena.Pointer + _plan.LogSumsOffset, smoothing);

    /// <summary>The probabilities that the scores of the last forward pass come to. They take the place of the scores' gradients.</summary>
    private void WriteProbabilities(int samples, int blocks, Span<float> probabilities)
    {
        int classes = _plan.Network.Classes;
        if (probabilities.Length < samples * classes)
            throw new ArgumentException($"Probabilities of {samples} samples are {samples * classes} floats, got {probabilities.Length}.", nameof(probabilities));
        ExecutionPlan.Step last = _plan.Steps[^1];
        float* p = At(last.Gradient!);
        Widest.Run<SoftmaxForward, SoftmaxArguments>(new SoftmaxArguments(At(last.Activation), p, _arena.Pointer + _plan.LogSumsOffset, classes, blocks));
        for (int sample = 0; sample < samples; sample++)
        {
            for (int c = 0; c < classes; c++)
                probabilities[(sample * classes) + c] = p[(((sample / Stripes.Count * classes) + c) * Stripes.Count) + (sample % Stripes.Count)];
        }
    }

    private void AuxiliaryLoss(AuxiliaryOutput auxiliary, int blocks, float smoothing)
    {
        ExecutionPlan.Step output = _plan.Steps[auxiliary.Node];
        ThrowIfNotFinite(LossOf(output, blocks, smoothing).LossSum);
        var gradient = new Span<float>(At(output.Gradient!), _plan.Network.Classes * blocks * Stripes.Count);
        for (int i = 0; i < gradient.Length; i++)
            gradient[i] *= auxiliary.Weight;
    }

    private static void WriteMetrics(SoftmaxCrossEntropy.Result result, Span<float> metrics)
    {
        metrics.Clear();
        metrics[ContributionLayout.LossSum] = result.LossSum;
        metrics[ContributionLayout.Top1Correct] = result.Top1;
        metrics[ContributionLayout.Top5Correct] = result.Top5;
        metrics[ContributionLayout.Samples] = result.Samples;
    }

    /// <summary>The first value that is not finite in the lanes that hold samples, in words; null where there is none.</summary>
    private static string? NotFiniteIn(float* values, Extent extent, int samples)
    {
        int length = extent.Units(samples) * extent.UnitFloats;
        for (int i = 0; i < length; i++)
        {
            bool holds = extent.Layout != Layout.Samples || (i / extent.UnitFloats * Stripes.Count) + (i % Stripes.Count) < samples;
            if (holds && !float.IsFinite(values[i]))
                return Named(values[i]);
        }

        return null;
    }

    private static string Named(float value) => float.IsNaN(value) ? "NaN" : "infinity";

    private float* At(Arena.Buffer buffer) => _arena.Pointer + buffer.Offset;

    private int CheckedBlocks(int samples, ReadOnlySpan<float> weights, int needed)
    {
        if (samples < 1 || samples > _plan.MicroBatch)
            throw new ArgumentOutOfRangeException(nameof(samples), samples, $"The plan is for 1 to {_plan.MicroBatch} samples.");
        if (weights.Length < needed)
            throw new ArgumentException($"{_plan.Network.Name} has {_plan.Network.ParameterCount} parameters{(needed > _plan.Network.ParameterCount ? $" and {_plan.Network.StatisticCount} running statistics" : "")}, got {weights.Length}.", nameof(weights));
        return (samples + Stripes.Count - 1) / Stripes.Count;
    }

    /// <summary>A wrong label would reach outside the arena, or be counted as a sample that is not there.</summary>
    private void CheckLabels(int samples, int blocks)
    {
        int classes = _plan.Network.Classes;
        for (int lane = 0; lane < blocks * Stripes.Count; lane++)
        {
            int label = _labels[lane];
            if (lane < samples && (label < -1 || label >= classes))
                throw new ArgumentException($"Sample {lane} is labelled {label}; {_plan.Network.Name} has the classes 0 to {classes - 1}, and -1 is no sample.");
            if (lane >= samples && label != -1)
                throw new ArgumentException($"Lane {lane} is labelled {label}, but the micro-batch has {samples} samples; label it -1.");
        }
    }
}
