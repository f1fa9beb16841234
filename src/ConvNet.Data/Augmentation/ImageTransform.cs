using ConvNet.Core.Tensors;

namespace ConvNet.Data.Augmentation;

/// <summary>One way in which a training image is changed by chance. Size and channels stay.</summary>
/// <remarks>Integer arithmetic and exactly rounded operations only, so the bytes are the same on every machine. Allocates nothing.</remarks>
internal abstract record ImageTransform
{
    /// <summary>Makes a changed image.</summary>
    /// <param name="from"><c>[C, H, W]</c>.</param>
    /// <param name="to">The same shape, overwritten; another memory.</param>
    /// <param name="shape">C, H, W.</param>
    /// <param name="draws">The sample's random numbers; always as many are taken, whatever they are.</param>
    public abstract void Apply(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, ref Draws draws);
}

/// <summary>Moves the image by up to some pixels each way; what comes in is black. The same as padding and cutting out a random place of the old size.</summary>
internal sealed record RandomCrop(int Padding) : ImageTransform
{
    public override void Apply(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, ref Draws draws)
    {
        int down = draws.Whole(-Padding, Padding), right = draws.Whole(-Padding, Padding), width = shape.Width;
        to.Clear();
        int first = Math.Max(0, -right), end = Math.Min(width, width - right);
        if (first >= end)
            return;
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            for (int row = Math.Max(0, -down); row < Math.Min(shape.Height, shape.Height - down); row++)
            {
                int line = ((channel * shape.Height) + row) * width;
                from.Slice(line + (down * width) + right + first, end - first).CopyTo(to[(line + first)..]);
            }
        }
    }
}

/// <summary>Mirrors every other image, left to right.</summary>
internal sealed record HorizontalFlip : ImageTransform
{
    public override void Apply(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, ref Draws draws)
    {
        bool flip = draws.Whole(0, 1) == 1;
        from.CopyTo(to);
        for (int line = 0; flip && line < shape.Elements; line += shape.Width)
            to.Slice(line, shape.Width).Reverse();
    }
}

/// <summary>Paints a random rectangle in the image's mean colour, with a probability. Zhong, Zheng, Kang, Li, Yang 2020, "Random erasing data augmentation": 2 to 33 % of the area, sides 0.3 to 3.3 to one.</summary>
internal sealed record RandomErasing(float Probability) : ImageTransform
{
    public override void Apply(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, ref Draws draws)
    {
        bool erase = draws.Unit() < Probability;
        float area = draws.Between(0.02f, 0.33f) * shape.Pixels, ratio = draws.Between(0.3f, 3.3f), row = draws.Unit(), column = draws.Unit();
        from.CopyTo(to);
        if (!erase)
            return;
        int height = Math.Clamp((int)MathF.Sqrt(area * ratio), 1, shape.Height), width = Math.Clamp((int)MathF.Sqrt(area / ratio), 1, shape.Width);
        int top = (int)(row * (shape.Height - height + 1)), left = (int)(column * (shape.Width - width + 1));
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            int plane = channel * shape.Pixels;
            long sum = 0;
            foreach (byte value in from.Slice(plane, shape.Pixels))
                sum += value;
            for (int y = top; y < top + height; y++)
                to.Slice(plane + (y * shape.Width) + left, width).Fill((byte)((sum + (shape.Pixels / 2)) / shape.Pixels));
        }
    }
}

/// <summary>Changes brightness, contrast and, in colour images, saturation by factors around 1.</summary>
internal sealed record ColourJitter(float Most) : ImageTransform
{
    public override void Apply(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, ref Draws draws)
    {
        float brightness = draws.Between(1 - Most, 1 + Most), contrast = draws.Between(1 - Most, 1 + Most), saturation = draws.Between(1 - Most, 1 + Most);
        int pixels = shape.Pixels;
        long sum = 0;
        foreach (byte value in from)
            sum += value;
        float mean = sum / (float)shape.Elements;
        for (int p = 0; p < pixels; p++)
        {
            float grey = 0;
            for (int c = 0; c < shape.Channels; c++)
                grey += from[(c * pixels) + p];
            grey /= shape.Channels;
            for (int c = 0; c < shape.Channels; c++)
            {
                float coloured = grey + (saturation * (from[(c * pixels) + p] - grey));
                to[(c * pixels) + p] = (byte)Math.Clamp((brightness * (mean + (contrast * (coloured - mean)))) + 0.5f, 0, 255);
            }
        }
    }
}
