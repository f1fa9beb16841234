using ConvNet.Core.Numerics;

namespace ConvNet.Core.Schedules;

/// <summary>Stairs of one length: share = gamma^⌊step / length⌋. With a length of one epoch it is the exponential schedule.</summary>
/// <param name="Length">Steps of a stair, at least 1.</param>
/// <param name="Gamma">Above 0, at most 1: what the rate is multiplied with at the end of each stair.</param>
public sealed record StepSchedule(long Length, double Gamma) : LearningRateSchedule
{
    internal override double ExactShare(long step, long totalSteps) => PortableMath.Power(Gamma, step / Length);
}
