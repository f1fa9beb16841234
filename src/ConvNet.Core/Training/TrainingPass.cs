namespace ConvNet.Core.Training;

/// <summary>What a training pass over a micro-batch depends on besides its samples and the weights.</summary>
/// <param name="Seed">The job's seed: what dropout draws from.</param>
/// <param name="Step">The step, from 0.</param>
/// <param name="FirstSample">Place within the step's batch of the micro-batch's first sample.</param>
/// <param name="LabelSmoothing">The share of a label's weight that is spread over all classes, in [0, 1).</param>
public readonly record struct TrainingPass(ulong Seed, long Step, int FirstSample, float LabelSmoothing = 0);
