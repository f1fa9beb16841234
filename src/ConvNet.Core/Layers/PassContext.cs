namespace ConvNet.Core.Layers;

/// <summary>What an operation may know of the pass that it is part of, besides the numbers: enough to draw a random number of its own that anyone can draw again.</summary>
/// <param name="Trains">Training; else evaluation, where nothing is random and running statistics are used.</param>
/// <param name="Seed">The job's seed.</param>
/// <param name="Step">The training step, from 0.</param>
/// <param name="FirstSample">Place within the step's batch of the micro-batch's first sample.</param>
/// <param name="Samples">
/// Samples of the micro-batch. Lanes beyond hold none: what is in them must not be seen by any other, and their gradients are 0 and stay 0.
/// </param>
internal readonly record struct PassContext(bool Trains, ulong Seed, long Step, int FirstSample, int Samples);
