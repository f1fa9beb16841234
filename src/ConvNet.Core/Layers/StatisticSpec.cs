namespace ConvNet.Core.Layers;

/// <summary>A running statistic that a layer keeps: no gradient moves it, a step's micro-batches do.</summary>
/// <remarks>
/// <code>running = (1 − momentum)·running + momentum·(mean over the step's micro-batches)</code>
/// once a step, on the parameter server. Evaluation reads the running values.
/// </remarks>
/// <param name="Suffix">Its name within the layer: <c>running_mean</c>.</param>
/// <param name="Shape">Its dimensions as the rest of the world writes them: <c>[C]</c>.</param>
/// <param name="InitialValue">What it holds before the first step.</param>
/// <param name="Momentum">The weight of the newest step, above 0, at most 1.</param>
public sealed record StatisticSpec(string Suffix, IReadOnlyList<int> Shape, float InitialValue, float Momentum)
{
    /// <summary>Floats.</summary>
    public int Length => Shape.Aggregate(1, (product, size) => checked(product * size));
}
