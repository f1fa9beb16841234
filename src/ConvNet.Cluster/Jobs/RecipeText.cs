using System.Globalization;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job's training recipe in words for people.</summary>
public static class RecipeText
{
    /// <summary>Such as <c>sgd: rate 0.1, momentum 0.9 (Nesterov), weight decay 0.0005 except bias-and-norm</c>.</summary>
    public static string Optimizer(JobSpec spec)
    {
        FormattableString settings = spec.Optimizer switch
        {
            OptimizerKind.Sgd => $", momentum {spec.Momentum}{(spec.Nesterov ? " (Nesterov)" : "")}",
            OptimizerKind.Adam or OptimizerKind.AdamW => $", betas {spec.Beta1} and {spec.Beta2}",
            OptimizerKind.RmsProp => $", alpha {spec.Alpha}, momentum {spec.Momentum}",
            OptimizerKind.Lars => $", momentum {spec.Momentum}, trust {spec.TrustCoefficient}",
            _ => $"",
        };
        string exclusions = spec.WeightDecay > 0 && spec.DecayExclude != DecayExclusions.None ? $" except {spec.DecayExclude}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{RecipeFields.NameOf(spec.Optimizer)}: rate {spec.LearningRate}{settings.ToString(CultureInfo.InvariantCulture)}, weight decay {spec.WeightDecay}{exclusions}");
    }

    /// <summary>Such as <c>multi-step at epochs 82, 123, each times 0.1, after a warm-up of 5 epochs</c>.</summary>
    public static string Schedule(JobSpec spec)
    {
        FormattableString settings = spec.Schedule switch
        {
            LearningRateSchedule.Step => $" of {spec.StepSize} epochs, each times {spec.Gamma}",
            LearningRateSchedule.MultiStep => $" at epochs {spec.Milestones}, each times {spec.Gamma}",
            LearningRateSchedule.Exponential => $", each epoch times {spec.Gamma}",
            LearningRateSchedule.Cosine => $" to {spec.MinLearningRate}",
            LearningRateSchedule.Polynomial => $" to {spec.MinLearningRate}, power {spec.Power}",
            LearningRateSchedule.OneCycle => $", up for {100 * spec.PercentStart} % of the steps, from 1/{spec.DivisionFactor}, then to 1/{spec.FinalDivisionFactor} of that",
            _ => $"",
        };
        return RecipeFields.NameOf(spec.Schedule) + settings.ToString(CultureInfo.InvariantCulture) + (spec.WarmUp.Length > 0 ? $", after a warm-up of {spec.WarmUp}" : "");
    }

    /// <summary>Clipping, smoothing and what is kept; null where there is none of it.</summary>
    public static string? Besides(JobSpec spec)
    {
        var parts = new List<string>();
        void Add(bool wanted, FormattableString text)
        {
            if (wanted)
                parts.Add(text.ToString(CultureInfo.InvariantCulture));
        }

        Add(spec.ClipValue > 0, $"gradients cut to ±{spec.ClipValue}");
        Add(spec.ClipNorm > 0, $"gradients cut to a norm of {spec.ClipNorm}");
        Add(spec.LabelSmoothing > 0, $"labels smoothed by {spec.LabelSmoothing}");
        Add(spec.EarlyStop > 0, $"stops after {spec.EarlyStop} epochs without a better accuracy");
        Add(spec.Keep == KeptWeights.Best, $"keeps the best epoch's weights");
        return parts.Count == 0 ? null : string.Join(", ", parts);
    }
}
