using ConvNet.Data.ModelFiles;

namespace ConvNet.Cluster.Jobs;

/// <summary>The fields of a job file for a job that goes on from weights that others have learned: where they are, and which of them stay.</summary>
public static class BeginningFields
{
    private const string None = "none";

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<JobFields.Field> All { get; } =
    [
        new("init", "none, a safetensors file, or the folder of a trained model", (s, t) =>
            t.Length == 0 || t.Any(char.IsControl) ? null : s with { Init = t == None ? null : t, InitSha256 = null }),
        new("freeze", "none, or names of tensors such as \"conv*, bn1.*\"", (s, t) =>
            FrozenTensors.Parse(t) is { } frozen ? s with { Freeze = frozen.Text } : null) { IsList = true },
    ];

    /// <summary>Says in a model's origin what it began with and what of it stayed.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="origin">Is added to.</param>
    public static void Tell(JobSpec spec, Dictionary<string, string> origin)
    {
        foreach ((string name, string? value) in new[] { ("init", spec.Init), ("initSha256", spec.InitSha256), ("freeze", spec.Freeze) })
        {
            if (value is not null)
                origin[name] = value;
        }
    }

    /// <summary>The job with the hash of the file that it begins with.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="saved">The file; null where it begins with none, or it is not needed any more.</param>
    /// <exception cref="JobFileException">It is another file than that which the job began with.</exception>
    internal static JobSpec With(JobSpec spec, SavedTensors? saved)
    {
        if (saved is not null && spec.InitSha256 is { } known && known != saved.Sha256)
            throw new JobFileException([$"init: {saved.Name} is not what the job began with: its SHA-256 is {saved.Sha256}, it was {known}. Put the file back, or submit the job anew."]);
        return saved is null ? spec : spec with { InitSha256 = saved.Sha256 };
    }
}
