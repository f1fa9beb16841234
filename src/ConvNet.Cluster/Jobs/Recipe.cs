using ConvNet.Core.Optimizers;
using ConvNet.Core.Schedules;
using ConvNet.Core.Training;
using Rates = ConvNet.Core.Schedules.LearningRateSchedule;

namespace ConvNet.Cluster.Jobs;

/// <summary>What a job's fields come to: its optimizer, and the rate of each step.</summary>
internal static class Recipe
{
    /// <summary>The optimizer.</summary>
    public static Optimizer OptimizerOf(JobSpec spec) => spec.Optimizer switch
    {
        OptimizerKind.Sgd => new Sgd(spec.Momentum, spec.WeightDecay, spec.Nesterov),
        OptimizerKind.Adam => new Adam(spec.Beta1, spec.Beta2, spec.Epsilon ?? 1e-8, spec.WeightDecay),
        OptimizerKind.AdamW => new AdamW(spec.Beta1, spec.Beta2, spec.Epsilon ?? 1e-8, spec.WeightDecay),
        OptimizerKind.RmsProp => new RmsProp(spec.Alpha, spec.Epsilon ?? 1e-8, spec.Momentum, spec.WeightDecay),
        OptimizerKind.Adagrad => new Adagrad(spec.Epsilon ?? 1e-10, spec.WeightDecay),
        OptimizerKind.Lars => new Lars(spec.Momentum, spec.WeightDecay, spec.TrustCoefficient, spec.Epsilon ?? 1e-8),
        _ => throw new ArgumentException($"Optimizer {spec.Optimizer} is of a newer version.", nameof(spec)),
    };

    /// <summary>The schedule, with its warm-up.</summary>
    /// <exception cref="JobFileException">The warm-up is as long as the job.</exception>
    public static Rates ScheduleOf(JobSpec spec, StepPlan plan)
    {
        double last = spec.MinLearningRate / spec.LearningRate;
        Rates schedule = spec.Schedule switch
        {
            LearningRateSchedule.Constant => Rates.Constant,
            LearningRateSchedule.Cosine => new CosineSchedule(last),
            LearningRateSchedule.Step => new StepSchedule((long)spec.StepSize * plan.StepsPerEpoch, spec.Gamma),
            LearningRateSchedule.MultiStep => new MultiStepSchedule(
                [.. spec.Milestones.Split(',').Select(epoch => long.Parse(epoch, System.Globalization.CultureInfo.InvariantCulture) * plan.StepsPerEpoch)], spec.Gamma),
            LearningRateSchedule.Exponential => new StepSchedule(plan.StepsPerEpoch, spec.Gamma),
            LearningRateSchedule.Polynomial => new PolynomialSchedule(spec.Power, last),
            LearningRateSchedule.OneCycle => new OneCycleSchedule(spec.PercentStart, spec.DivisionFactor, spec.FinalDivisionFactor),
            _ => throw new ArgumentException($"Schedule {spec.Schedule} is of a newer version.", nameof(spec)),
        };
        if (WarmUp.Parse(spec.WarmUp) is not { } warmUp)
            return schedule;
        long steps = warmUp.Steps(plan);
        return steps < plan.TotalSteps
            ? new WarmUpSchedule(schedule, steps)
            : throw new JobFileException([$"warm-up: {warmUp} leave nothing of a job of {plan.TotalSteps} steps, {plan.StepsPerEpoch} an epoch."]);
    }
}
