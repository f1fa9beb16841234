namespace ConvNet.Core.Schedules;

/// <summary>The same rate throughout: share = 1.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    internal override double ExactShare(long step, long totalSteps) => 1;
}
