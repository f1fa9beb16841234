using System.Globalization;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Jobs;

/// <summary>For how long the learning rate rises at the beginning: <c>5 epochs</c>, <c>500 steps</c>; a number alone is epochs.</summary>
/// <param name="Count">How many, at least 1.</param>
/// <param name="InEpochs">Of what: epochs, or steps.</param>
public sealed record WarmUp(int Count, bool InEpochs)
{
    /// <summary>What is allowed, in words.</summary>
    public const string Forms = "a number of epochs or steps, such as \"5 epochs\" or \"500 steps\", or 0 for none";

    /// <summary>Reads the text of a job; null where it is none.</summary>
    public static WarmUp? Parse(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is 0 or > 2 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            return null;
        return (words.Length == 1 ? "epochs" : words[1]) switch
        {
            "epoch" or "epochs" => new(count, InEpochs: true),
            "step" or "steps" => new(count, InEpochs: false),
            _ => null,
        };
    }

    /// <summary>How many steps that is.</summary>
    public long Steps(StepPlan plan) => InEpochs ? (long)Count * plan.StepsPerEpoch : Count;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count} {(InEpochs ? "epoch" : "step")}{(Count == 1 ? "" : "s")}");
}
