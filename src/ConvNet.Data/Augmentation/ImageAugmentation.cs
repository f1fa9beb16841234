using System.Globalization;
using ConvNet.Core.Tensors;
using ConvNet.Core.Text;

namespace ConvNet.Data.Augmentation;

/// <summary>How training images are changed by chance, so that a network sees each as many: <c>crop 4, flip</c>. Never done to test images.</summary>
/// <remarks>What happens to an image is a function of (seed, epoch, its number in the training set): whoever computes a micro-batch, and however often, sees the same.</remarks>
public sealed class ImageAugmentation
{
    private static readonly (string Name, string Unit, float Least, float Most, Func<float, ImageTransform> Make)[] Kinds =
    [
        ("crop", "pixels", 1, 512, v => new RandomCrop((int)v)),
        ("flip", "", 0, 0, _ => new HorizontalFlip()),
        ("rotate", "degrees", 0, 180, v => new RandomRotation(v)),
        ("resized-crop", "least share of the area", 0.01f, 1, v => new RandomResizedCrop(v)),
        ("jitter", "share", 0, 1, v => new ColourJitter(v)),
        ("erase", "probability", 0, 1, v => new RandomErasing(v)),
    ];

    private readonly ImageTransform[] _steps;

    private ImageAugmentation(string text, ImageTransform[] steps) => (Text, _steps) = (text, steps);

    /// <summary>What a text may hold, for people.</summary>
    public static string Forms => "a list of: crop PIXELS, flip, rotate DEGREES, resized-crop SHARE, jitter SHARE, erase PROBABILITY; such as \"crop 4, flip\"";

    /// <summary>None.</summary>
    public static ImageAugmentation None { get; } = new("", []);

    /// <summary>As it can be read again.</summary>
    public string Text { get; }

    /// <summary>Whether images stay as they are.</summary>
    public bool IsNone => _steps.Length == 0;

    /// <summary>Reads what a job says: steps with commas between them, in the order in which they are done.</summary>
    /// <param name="text">Empty or <c>none</c> for nothing.</param>
    /// <returns>Null where the text is wrong; <see cref="WrongStep"/> says which part.</returns>
    public static ImageAugmentation? Parse(string text)
    {
        if (text.Trim() is "" or "none")
            return None;
        ImageTransform?[] steps = [.. text.Split(',').Select(Step)];
        return steps.Contains(null) ? null : new ImageAugmentation(string.Join(", ", text.Split(',').Select(Spaced)), steps!);
    }

    /// <summary>The first step of a text that is wrong, and the name that was likely meant by it, if one is near; null where all are right.</summary>
    public static (string Step, string? Near)? WrongStep(string text)
    {
        if (text.Trim() is "" or "none" || text.Split(',').FirstOrDefault(step => Step(step) is null) is not { } wrong)
            return null;
        string name = Words(wrong).FirstOrDefault("");
        return (Spaced(wrong), Kinds.Any(k => k.Name == name) ? null : NearestWord.Of(name, Kinds.Select(k => k.Name)));
    }

    /// <summary>Why images of a shape cannot be changed so; null where they can.</summary>
    public string? Misfit(Shape shape)
    {
        int side = Math.Min(shape.Height, shape.Width);
        return _steps.OfType<RandomCrop>().FirstOrDefault(crop => crop.Padding >= side) is { } crop
            ? $"crop {crop.Padding} could move all of a {shape.Height}×{shape.Width} image out of sight; take at most {side - 1} pixels, usual are {Math.Max(1, side / 8)}."
            : null;
    }

    /// <summary>Changes one image.</summary>
    /// <param name="image"><c>[C, H, W]</c>, changed in place.</param>
    /// <param name="scratch">As many bytes, of any content.</param>
    /// <param name="shape">C, H, W.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="sample">The image's number in the training set.</param>
    public void Apply(Span<byte> image, Span<byte> scratch, Shape shape, ulong seed, int epoch, int sample)
    {
        var draws = new Draws(seed, epoch, sample);
        for (int i = 0; i < _steps.Length; i++)
        {
            image.CopyTo(scratch);
            _steps[i].Apply(scratch[..image.Length], image, shape, ref draws);
        }
    }

    private static string[] Words(string step) => step.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Spaced(string step) => string.Join(' ', Words(step));

    private static ImageTransform? Step(string text)
    {
        string[] words = Words(text);
        int kind = words.Length == 0 ? -1 : Array.FindIndex(Kinds, k => k.Name == words[0]);
        if (kind < 0 || words.Length != (Kinds[kind].Unit.Length > 0 ? 2 : 1))
            return null;
        float value = 0;
        if (words.Length == 2 && (!float.TryParse(words[1], NumberStyles.Float, CultureInfo.InvariantCulture, out value) || !(value >= Kinds[kind].Least && value <= Kinds[kind].Most)))
            return null;
        return words[0] == "crop" && value != (int)value ? null : Kinds[kind].Make(value);
    }
}
