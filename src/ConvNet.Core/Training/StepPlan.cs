namespace ConvNet.Core.Training;

/// <summary>How a job's epochs fall into steps and its steps into micro-batches: arithmetic on the job alone, never on the cluster.</summary>
/// <remarks>
/// Every sample is used exactly once an epoch; the last step of an epoch, and its last micro-batch, may be smaller.
/// </remarks>
/// <param name="TrainingSamples">Samples of the training set, at least 1.</param>
/// <param name="TestSamples">Samples of the test set; 0 where there is none.</param>
/// <param name="Batch">The global batch in samples.</param>
/// <param name="MicroBatch">Samples of a micro-batch; divides <paramref name="Batch"/>.</param>
/// <param name="Epochs">Passes over the training set.</param>
public sealed record StepPlan(int TrainingSamples, int TestSamples, int Batch, int MicroBatch, int Epochs)
{
    /// <summary>Steps of one epoch.</summary>
    public int StepsPerEpoch => (TrainingSamples + Batch - 1) / Batch;

    /// <summary>Steps of the job: weights of version <see cref="TotalSteps"/> are its result.</summary>
    public long TotalSteps => (long)StepsPerEpoch * Epochs;

    /// <summary>Micro-batches of the whole test set.</summary>
    public int EvaluationMicroBatches => (TestSamples + MicroBatch - 1) / MicroBatch;

    /// <summary>The epoch of a step, from 0.</summary>
    public int EpochOf(long step) => (int)(step / StepsPerEpoch);

    /// <summary>Samples of a step: the batch, or what is left of the epoch.</summary>
    public int SamplesOf(long step) => Math.Min(Batch, TrainingSamples - (int)(step % StepsPerEpoch) * Batch);

    /// <summary>Micro-batches of a step.</summary>
    public int MicroBatchesOf(long step) => (SamplesOf(step) + MicroBatch - 1) / MicroBatch;

    /// <summary>The positions within the epoch's order that a micro-batch covers.</summary>
    public (int Epoch, int Start, int Count) Positions(long step, int microBatch)
    {
        int start = (int)(step % StepsPerEpoch) * Batch + microBatch * MicroBatch;
        int end = Math.Min(start + MicroBatch, (int)(step % StepsPerEpoch) * Batch + SamplesOf(step));
        return (EpochOf(step), start, end - start);
    }

    /// <summary>The test samples of an evaluation micro-batch.</summary>
    public (int Start, int Count) EvaluationSamples(int microBatch) =>
        (microBatch * MicroBatch, Math.Min(MicroBatch, TestSamples - microBatch * MicroBatch));

    /// <summary>Whether the weights of a version are evaluated on the test set: after each epoch.</summary>
    public bool EvaluatesAt(long version) => TestSamples > 0 && version > 0 && version % StepsPerEpoch == 0;
}
