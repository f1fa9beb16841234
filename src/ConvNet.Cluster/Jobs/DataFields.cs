using System.Globalization;

namespace ConvNet.Cluster.Jobs;

/// <summary>The fields of a job file that say how its data is read and divided.</summary>
internal static class DataFields
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<JobFields.Field> All { get; } =
    [
        new("validation", "a number from 0 to below 1: the share of the training images that is held out", (s, t) =>
            float.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out float share) && share is >= 0 and < 1 ? s with { Validation = share } : null),
        new("skip-corrupt", "true or false", (s, t) => t switch
        {
            "true" => s with { SkipCorrupt = true },
            "false" => s with { SkipCorrupt = false },
            _ => null,
        }),
    ];
}
