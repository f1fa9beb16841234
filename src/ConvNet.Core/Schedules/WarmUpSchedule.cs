namespace ConvNet.Core.Schedules;

/// <summary>Another schedule, with its first steps raised along a line: share = (step + 1) / length · share of the other.</summary>
/// <remarks>
/// Goyal et al. 2017, "Accurate, large minibatch SGD", §2.2. A schedule that is stretched over the job begins when the warm-up is over; one of stairs
/// counts from the beginning of the job, so that its milestones are where the job file has them.
/// </remarks>
/// <param name="Then">The other schedule.</param>
/// <param name="Length">Steps of the warm-up, fewer than the job has; the last of them has the full rate.</param>
public sealed record WarmUpSchedule(LearningRateSchedule Then, long Length) : LearningRateSchedule
{
    internal override double ExactShare(long step, long totalSteps)
    {
        double then = Then.IsStretched ? Then.ExactShare(Math.Max(0, step - Length), totalSteps - Length) : Then.ExactShare(step, totalSteps);
        return step < Length ? (step + 1) / (double)Length * then : then;
    }
}
