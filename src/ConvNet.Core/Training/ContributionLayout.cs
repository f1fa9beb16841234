namespace ConvNet.Core.Training;

/// <summary>What one micro-batch gives to a step: one flat vector of gradients, statistics and metrics, added up along one tree.</summary>
/// <remarks>
/// <code>
/// [ gradients : Parameters ][ statistics : Statistics ][ metrics : MetricsLength ]
/// </code>
/// Everything that a step sums across micro-batches travels in this vector, so there is one tree, one ledger and one canonical order
/// for all of it. Gradients are those of the <em>sum</em> of the samples' losses; the parameter server divides by the samples of the step.
/// </remarks>
/// <param name="Parameters">Trainable parameters: the length of the weights and of the gradients.</param>
/// <param name="Statistics">Values of running statistics (batch normalisation), 0 where a network has none.</param>
public readonly record struct ContributionLayout(int Parameters, int Statistics)
{
    /// <summary>Floats of the metrics at the end.</summary>
    public const int MetricsLength = 16;

    /// <summary>Place of a metric in the tail: the sum of the samples' losses.</summary>
    public const int LossSum = 0;

    /// <summary>Place of a metric in the tail: samples whose most probable class was right.</summary>
    public const int Top1Correct = 1;

    /// <summary>Place of a metric in the tail: samples whose class was among the five most probable.</summary>
    public const int Top5Correct = 2;

    /// <summary>Place of a metric in the tail: samples counted.</summary>
    public const int Samples = 3;

    /// <summary>Where the metrics start.</summary>
    public int MetricsOffset => Parameters + Statistics;

    /// <summary>Floats in all.</summary>
    public int Length => Parameters + Statistics + MetricsLength;

    /// <summary>Floats of what a checkpoint and the weights' hash hold: parameters and running statistics.</summary>
    public int StateLength => Parameters + Statistics;
}
