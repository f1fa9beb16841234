using System.Globalization;
using ConvNet.Core.Text;
using static ConvNet.Cluster.Jobs.JobFields;

namespace ConvNet.Cluster.Jobs;

/// <summary>The fields of a job file that make its training recipe: optimizer, schedule, clipping, smoothing, which weights to keep.</summary>
/// <remarks>A field that the optimizer or the schedule of the job has no use for is a mistake, and said: otherwise somebody would believe that it does something.</remarks>
internal static class RecipeFields
{
    /// <summary>The optimizers by their names.</summary>
    public static IReadOnlyList<(string Name, OptimizerKind Kind)> Optimizers { get; } =
    [
        ("sgd", OptimizerKind.Sgd), ("adam", OptimizerKind.Adam), ("adamw", OptimizerKind.AdamW),
        ("rmsprop", OptimizerKind.RmsProp), ("adagrad", OptimizerKind.Adagrad), ("lars", OptimizerKind.Lars),
    ];

    /// <summary>The schedules by their names.</summary>
    public static IReadOnlyList<(string Name, LearningRateSchedule Kind)> Schedules { get; } =
    [
        ("constant", LearningRateSchedule.Constant), ("step", LearningRateSchedule.Step), ("multi-step", LearningRateSchedule.MultiStep),
        ("exponential", LearningRateSchedule.Exponential), ("cosine", LearningRateSchedule.Cosine),
        ("polynomial", LearningRateSchedule.Polynomial), ("one-cycle", LearningRateSchedule.OneCycle),
    ];

    /// <summary>All of them, in the order of the documentation.</summary>
    public static IReadOnlyList<Field> All { get; } =
    [
        Choice("optimizer", Optimizers, (s, kind) => s with { Optimizer = kind }),
        Single("momentum", "a number from 0 to below 1", v => v is >= 0 and < 1, (s, v) => s with { Momentum = v })
            with { Unused = Only(OptimizerKind.Sgd, OptimizerKind.RmsProp, OptimizerKind.Lars) },
        new("nesterov", "true or false", (s, t) => t is "true" or "false" ? s with { Nesterov = t == "true" } : null) { Unused = Only(OptimizerKind.Sgd) },
        Real("beta1", "a number from 0 to below 1", v => v is >= 0 and < 1, (s, v) => s with { Beta1 = v }) with { Unused = Only(OptimizerKind.Adam, OptimizerKind.AdamW) },
        Real("beta2", "a number from 0 to below 1", v => v is >= 0 and < 1, (s, v) => s with { Beta2 = v }) with { Unused = Only(OptimizerKind.Adam, OptimizerKind.AdamW) },
        Real("alpha", "a number from 0 to below 1", v => v is >= 0 and < 1, (s, v) => s with { Alpha = v }) with { Unused = Only(OptimizerKind.RmsProp) },
        Real("epsilon", "a number from 1e-30 to 1", v => v is >= 1e-30 and <= 1, (s, v) => s with { Epsilon = v })
            with { Unused = Only(OptimizerKind.Adam, OptimizerKind.AdamW, OptimizerKind.RmsProp, OptimizerKind.Adagrad, OptimizerKind.Lars) },
        Real("trust-coefficient", "a number above 0, at most 10", v => v is > 0 and <= 10, (s, v) => s with { TrustCoefficient = v }) with { Unused = Only(OptimizerKind.Lars) },
        Single("weight-decay", "a number from 0 to below 1", v => v is >= 0 and < 1, (s, v) => s with { WeightDecay = v }),
        new("decay-exclude", "none, bias-and-norm, or names of parameters such as \"*.bias, bn1.weight\"",
            (s, t) => DecayExclusions.Parse(t) is { } exclusions ? s with { DecayExclude = exclusions.Text } : null) { IsList = true },
        Choice("schedule", Schedules, (s, kind) => s with { Schedule = kind }),
        new("warm-up", WarmUp.Forms, (s, t) => WarmUp.Parse(t) is { } warmUp ? s with { WarmUp = warmUp.Count == 0 ? "" : warmUp.ToString() } : null),
        new("step-size", "a whole number of epochs from 1 to 100000", (s, t) => Whole(t, 1, 100_000) is { } v ? s with { StepSize = v } : null)
        {
            Unused = Only(LearningRateSchedule.Step),
        },
        new("milestones", "epochs in ascending order, such as \"82, 123\"", (s, t) => Ascending(t) is { } v ? s with { Milestones = v } : null)
        {
            IsList = true,
            Unused = Only(LearningRateSchedule.MultiStep),
        },
        Real("gamma", "a number above 0, at most 1", v => v is > 0 and <= 1, (s, v) => s with { Gamma = v })
            with { Unused = Only(LearningRateSchedule.Step, LearningRateSchedule.MultiStep, LearningRateSchedule.Exponential) },
        Real("min-lr", "a number from 0 to lr", v => v is >= 0 and <= 1000, (s, v) => s with { MinLearningRate = v })
            with { Unused = Only(LearningRateSchedule.Cosine, LearningRateSchedule.Polynomial) },
        Real("power", "a number above 0, at most 100", v => v is > 0 and <= 100, (s, v) => s with { Power = v }) with { Unused = Only(LearningRateSchedule.Polynomial) },
        Real("pct-start", "a number above 0 and below 1", v => v is > 0 and < 1, (s, v) => s with { PercentStart = v }) with { Unused = Only(LearningRateSchedule.OneCycle) },
        Real("div-factor", "a number from 1 to 1e9", v => v is >= 1 and <= 1e9, (s, v) => s with { DivisionFactor = v }) with { Unused = Only(LearningRateSchedule.OneCycle) },
        Real("final-div-factor", "a number from 1 to 1e9", v => v is >= 1 and <= 1e9, (s, v) => s with { FinalDivisionFactor = v })
            with { Unused = Only(LearningRateSchedule.OneCycle) },
        Single("clip-value", "a number from 0 (not at all) to 1e9", v => v is >= 0 and <= 1e9f, (s, v) => s with { ClipValue = v }),
        Real("clip-norm", "a number from 0 (not at all) to 1e9", v => v is >= 0 and <= 1e9, (s, v) => s with { ClipNorm = v }),
        Single("label-smoothing", "a number from 0 to below 1", v => v is >= 0 and < 1, (s, v) => s with { LabelSmoothing = v }),
        new("early-stop", "a whole number of epochs from 0 (never) to 100000", (s, t) => Whole(t, 0, 100_000) is { } v ? s with { EarlyStop = v } : null),
        Choice("keep", [("last", KeptWeights.Last), ("best", KeptWeights.Best)], (s, kind) => s with { Keep = kind }),
    ];

    /// <summary>The name of an optimizer.</summary>
    public static string NameOf(OptimizerKind kind) => Optimizers.First(o => o.Kind == kind).Name;

    /// <summary>The name of a schedule.</summary>
    public static string NameOf(LearningRateSchedule kind) => Schedules.First(s => s.Kind == kind).Name;

    /// <summary>A job whose rate and decay were not given has those that are usual for its optimizer.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="isGiven">Whether a field was given.</param>
    public static JobSpec WithUsualValues(JobSpec spec, Func<string, bool> isGiven)
    {
        (float rate, float decay, float momentum) = spec.Optimizer switch
        {
            OptimizerKind.Adam => (0.001f, 0, 0),
            OptimizerKind.AdamW => (0.001f, 0.01f, 0),
            OptimizerKind.RmsProp => (0.001f, 0, 0),
            OptimizerKind.Adagrad => (0.01f, 0, 0),
            _ => (spec.LearningRate, spec.WeightDecay, spec.Momentum),
        };
        return spec with
        {
            LearningRate = isGiven("lr") ? spec.LearningRate : rate,
            WeightDecay = isGiven("weight-decay") ? spec.WeightDecay : decay,
            Momentum = isGiven("momentum") ? spec.Momentum : momentum,
        };
    }

    /// <summary>What is wrong with the recipe as a whole.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="places">Where each field that was given was given, as errors begin.</param>
    public static IEnumerable<string> Problems(JobSpec spec, IReadOnlyDictionary<string, string> places)
    {
        string Place(string field, string otherwise) => places.GetValueOrDefault(field) ?? places.GetValueOrDefault(otherwise) ?? field;

        foreach ((string field, string place) in places)
        {
            if (Find(field)?.Unused(spec) is { } why)
                yield return $"{place}: {why}";
        }

        if (spec.Schedule == LearningRateSchedule.Step && spec.StepSize == 0)
            yield return $"{Place("schedule", "schedule")}: step needs step-size, the epochs between two cuts of the rate, such as \"step-size: 30\".";
        if (spec.Schedule == LearningRateSchedule.MultiStep && spec.Milestones.Length == 0)
            yield return $"{Place("schedule", "schedule")}: multi-step needs milestones, the epochs at which the rate is cut, such as \"milestones: [82, 123]\".";
        if (spec.Schedule == LearningRateSchedule.Exponential && !places.ContainsKey("gamma"))
            yield return $"{Place("schedule", "schedule")}: exponential needs gamma, what the rate is multiplied with after each epoch, such as \"gamma: 0.95\".";
        if (spec.MinLearningRate > spec.LearningRate)
            yield return string.Create(CultureInfo.InvariantCulture, $"{Place("min-lr", "lr")}: {spec.MinLearningRate} is above lr, which is {spec.LearningRate}.");
        if (WarmUp.Parse(spec.WarmUp) is { InEpochs: true } warmUp && warmUp.Count >= spec.Epochs)
            yield return $"{Place("warm-up", "epochs")}: {warmUp} of warm-up leave nothing of a job of {spec.Epochs}.";
    }

    private static Field Real(string name, string allowed, Func<double, bool> isAllowed, Func<JobSpec, double, JobSpec> set) =>
        new(name, allowed, (s, t) => JobFields.Double(t) is { } v && isAllowed(v) ? set(s, v) : null);

    private static Field Single(string name, string allowed, Func<float, bool> isAllowed, Func<JobSpec, float, JobSpec> set) =>
        new(name, allowed, (s, t) => Number(t) is { } v && isAllowed(v) ? set(s, v) : null);

    private static Field Choice<T>(string name, IReadOnlyList<(string Name, T Kind)> choices, Func<JobSpec, T, JobSpec> set)
    {
        string[] names = [.. choices.Select(c => c.Name)];
        return new(name, $"{string.Join(", ", names[..^1])} or {names[^1]}", (s, t) => Array.IndexOf(names, t) is >= 0 and var i ? set(s, choices[i].Kind) : null)
        {
            Hint = t => NearestWord.Of(t, names),
        };
    }

    private static Func<JobSpec, string?> Only(params OptimizerKind[] kinds) => spec =>
        kinds.Contains(spec.Optimizer) ? null : $"the optimizer {NameOf(spec.Optimizer)} does not use it; {Those([.. kinds.Select(NameOf)])}. Leave it out.";

    private static Func<JobSpec, string?> Only(params LearningRateSchedule[] kinds) => spec =>
        kinds.Contains(spec.Schedule) ? null : $"the schedule {NameOf(spec.Schedule)} does not use it; {Those([.. kinds.Select(NameOf)])}. Leave it out.";

    private static string Those(string[] names) => names.Length == 1 ? $"{names[0]} does" : $"{string.Join(", ", names[..^1])} and {names[^1]} do";

    private static string? Ascending(string text)
    {
        int?[] epochs = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(item => Whole(item, 1, 100_000))];
        return epochs.Contains(null) || epochs.Zip(epochs.Skip(1)).Any(pair => pair.First >= pair.Second) ? null : string.Join(", ", epochs);
    }
}
