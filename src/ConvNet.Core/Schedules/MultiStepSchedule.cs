using ConvNet.Core.Numerics;

namespace ConvNet.Core.Schedules;

/// <summary>Stairs at given steps: share = gamma to the power of how many of them are reached.</summary>
/// <param name="Milestones">The steps from which on the rate is lower.</param>
/// <param name="Gamma">Above 0, at most 1: what the rate is multiplied with at each of them.</param>
public sealed record MultiStepSchedule(IReadOnlyList<long> Milestones, double Gamma) : LearningRateSchedule
{
    internal override double ExactShare(long step, long totalSteps) => PortableMath.Power(Gamma, Milestones.Count(m => m <= step));
}
