using System.Globalization;
using ConvNet.Core.Models;
using ConvNet.Core.Text;
using ConvNet.Data.Augmentation;

namespace ConvNet.Cluster.Jobs;

/// <summary>The fields of a job file, by the names that the file and the command line use: how each is read, and what it allows.</summary>
internal static class JobFields
{
    /// <summary>One field.</summary>
    /// <param name="Name">In kebab-case.</param>
    /// <param name="Allowed">What it takes, in words.</param>
    /// <param name="Set">The spec with the field set to a text; null where the text is not allowed.</param>
    public sealed record Field(string Name, string Allowed, Func<JobSpec, string, JobSpec?> Set)
    {
        /// <summary>What was likely meant by a text that is not allowed, or null.</summary>
        public Func<string, string?> Hint { get; init; } = _ => null;

        /// <summary>The part of a text that is not allowed: all of it, or an item of a list.</summary>
        public Func<string, string> Wrong { get; init; } = t => t;

        /// <summary>Whether a file may give it as a list, which then stands for the items with commas between them.</summary>
        public bool IsList { get; init; }

        /// <summary>Why a job does not use the field, so that giving it is a mistake; null where it does.</summary>
        public Func<JobSpec, string?> Unused { get; init; } = _ => null;
    }

    /// <summary>The field that holds a network of the job's own; it alone is nested, see <see cref="LayersYaml"/>.</summary>
    public const string Layers = "layers";

    /// <summary>All of them, in the order of the documentation.</summary>
    public static IReadOnlyList<Field> All { get; } =
    [
        new("model", $"one of {string.Join(", ", ModelZoo.All.Select(m => m.Name))}", (s, t) => ModelZoo.Find(t) != null ? s with { Model = t, Network = null } : null)
        {
            Hint = t => NearestWord.Of(t, ModelZoo.All.Select(m => m.Name)),
        },
        new(Layers, "a list of layers, such as [{conv2d: {out-channels: 16, kernel: 3}}, relu]", (_, _) => null),
        new("data", "digits, mnist:DIR, cifar10:DIR or a path", (s, t) => t.Length > 0 ? s with { Data = t } : null),
        new("epochs", "a whole number from 1 to 100000", (s, t) => Whole(t, 1, 100_000) is { } v ? s with { Epochs = v } : null),
        new("batch", "a whole number from 1 to 1048576", (s, t) => Whole(t, 1, 1 << 20) is { } v ? s with { Batch = v } : null),
        new("micro-batch", "a whole number from 1 to 65536 that divides batch", (s, t) => Whole(t, 1, 1 << 16) is { } v ? s with { MicroBatch = v } : null),
        new("seed", "a whole number from 0 to 18446744073709551615",
            (s, t) => ulong.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out ulong v) ? s with { Seed = v } : null),
        new("lr", "a number above 0, at most 1000", (s, t) => Number(t) is > 0 and <= 1000 and var v ? s with { LearningRate = v } : null),
        .. RecipeFields.All,
        new("augment", ImageAugmentation.Forms, (s, t) => ImageAugmentation.Parse(t) is { } augmentation ? s with { Augment = augmentation.Text } : null)
        {
            IsList = true,
            Wrong = t => ImageAugmentation.WrongStep(t)?.Step ?? t,
            Hint = t => ImageAugmentation.WrongStep(t)?.Near,
        },
        .. DataFields.All,
        .. BeginningFields.All,
    ];

    /// <summary>The field of a name, or null.</summary>
    public static Field? Find(string name) => All.FirstOrDefault(f => f.Name == name);

    /// <summary>The name that a mistyped one is nearest to; null where none is near.</summary>
    public static string? Nearest(string name) => NearestWord.Of(name.ToLowerInvariant().Replace('_', '-'), All.Select(f => f.Name));

    /// <summary>A whole number within bounds, or null.</summary>
    public static int? Whole(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most ? value : null;

    /// <summary>A finite number, rounded to a float, or null.</summary>
    public static float? Number(string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) ? value : null;

    /// <summary>A finite number, or null.</summary>
    public static double? Double(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value : null;
}
