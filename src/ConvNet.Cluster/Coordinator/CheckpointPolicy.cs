using System.Globalization;

namespace ConvNet.Cluster.Coordinator;

/// <summary>How often checkpoints are written, and how many are kept.</summary>
/// <param name="EverySteps">After so many steps; null: steps do not matter.</param>
/// <param name="Every">After so much time; null: time does not matter.</param>
/// <param name="Keep">The newest so many are kept.</param>
public sealed record CheckpointPolicy(long? EverySteps, TimeSpan? Every, int Keep = 3)
{
    /// <summary>Every half minute, three of them.</summary>
    public static CheckpointPolicy Default { get; } = new(null, TimeSpan.FromSeconds(30));

    /// <summary>Whether the next one is due.</summary>
    /// <param name="steps">Steps since the last one.</param>
    /// <param name="time">Time since the last one.</param>
    public bool IsDue(long steps, TimeSpan time) => steps > 0 && (steps >= EverySteps || time >= Every);

    /// <summary>Reads <c>500</c> (steps) or <c>30s</c> (seconds); null where it is neither.</summary>
    public static CheckpointPolicy? Parse(string text, int keep = 3)
    {
        bool seconds = text.EndsWith('s');
        if (!int.TryParse(seconds ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 1)
            return null;
        return seconds ? new(null, TimeSpan.FromSeconds(number), keep) : new(number, null, keep);
    }
}
