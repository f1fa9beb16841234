using ConvNet.Core.Numerics;

namespace ConvNet.Core.Schedules;

/// <summary>Up from a small rate to the full one and down to a much smaller one, each along half a cosine.</summary>
/// <remarks>
/// <code>
/// share: 1 / divisor ──▶ 1 at step rise·total − 1 ──▶ 1 / (divisor·lastDivisor) at the last step
/// </code>
/// Smith and Topin 2018, "Super-convergence"; as PyTorch's OneCycleLR has it, with two phases. The momentum stays what it is.
/// </remarks>
/// <param name="Rise">Share of the steps that go up, in (0, 1).</param>
/// <param name="Divisor">At least 1: what the full rate is divided by at the beginning.</param>
/// <param name="LastDivisor">At least 1: what the rate at the beginning is divided by at the end.</param>
public sealed record OneCycleSchedule(double Rise = 0.3, double Divisor = 25, double LastDivisor = 1e4) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override bool IsStretched => true;

    internal override double ExactShare(long step, long totalSteps)
    {
        // In a job of very few steps a way may be shorter than a step.
        double first = 1 / Divisor, top = Math.Max(0, (Rise * totalSteps) - 1), end = totalSteps - 1;
        return step < top ? Between(first, 1, step / top)
            : step < end ? Between(1, first / LastDivisor, (step - top) / (end - top))
            : first / LastDivisor;
    }

    private static double Between(double from, double to, double way) => to + ((from - to) / 2 * (PortableMath.CosPi(way) + 1));
}
