namespace ConvNet.Core.Schedules;

/// <summary>The learning rate of every step, as a share of the job's rate: a function of the step alone.</summary>
/// <remarks>Worked out in double precision by functions of our own, and rounded once: the same bits everywhere.</remarks>
public abstract record LearningRateSchedule
{
    /// <summary>The same rate throughout.</summary>
    public static LearningRateSchedule Constant { get; } = new ConstantSchedule();

    /// <summary>From the full rate down to 0 along half a cosine.</summary>
    public static LearningRateSchedule Cosine { get; } = new CosineSchedule();

    /// <summary>Whether the schedule is stretched over the steps that it is given; otherwise it counts steps from the beginning of the job.</summary>
    public virtual bool IsStretched => false;

    /// <summary>The share, 0 to 1.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="totalSteps">Steps of the job.</param>
    public float Share(long step, long totalSteps) => (float)ExactShare(step, totalSteps);

    /// <summary>The share before it is rounded.</summary>
    internal abstract double ExactShare(long step, long totalSteps);
}
