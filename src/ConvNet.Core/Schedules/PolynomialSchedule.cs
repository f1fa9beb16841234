using ConvNet.Core.Numerics;

namespace ConvNet.Core.Schedules;

/// <summary>From the full rate down to a last one: share = last + (1 − last)·(1 − step / total)^power. With a power of 1 along a line.</summary>
/// <param name="Power">Above 0.</param>
/// <param name="Last">The share at the end, 0 to 1.</param>
public sealed record PolynomialSchedule(double Power = 1, double Last = 0) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override bool IsStretched => true;

    internal override double ExactShare(long step, long totalSteps) =>
        Last + ((1 - Last) * PortableMath.Power(1 - ((double)step / totalSteps), Power));
}
