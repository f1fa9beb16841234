using ConvNet.Core.Numerics;

namespace ConvNet.Core.Schedules;

/// <summary>From the full rate down to a last one along half a cosine: share = last + (1 − last)·(1 + cos(π·step / total)) / 2.</summary>
/// <remarks>Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", without restarts.</remarks>
/// <param name="Last">The share at the end, 0 to 1.</param>
public sealed record CosineSchedule(double Last = 0) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override bool IsStretched => true;

    internal override double ExactShare(long step, long totalSteps) =>
        Last + ((1 - Last) * (0.5 * (1 + PortableMath.CosPi((double)step / totalSteps))));
}
