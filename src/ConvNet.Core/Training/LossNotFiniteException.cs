namespace ConvNet.Core.Training;

/// <summary>The loss of a micro-batch is NaN or infinite: the job has diverged, and to go on would make all weights NaN.</summary>
/// <param name="loss">The sum of the losses.</param>
/// <param name="culprit">What was not finite first, as a clause: <c>layer conv2 gave NaN</c>.</param>
public sealed class LossNotFiniteException(float loss, string culprit) : Exception($"the loss is {loss}: {culprit}")
{
    /// <summary>The sum of the losses.</summary>
    public float Loss => loss;

    /// <summary>What was not finite first, as a clause.</summary>
    public string Culprit => culprit;
}
