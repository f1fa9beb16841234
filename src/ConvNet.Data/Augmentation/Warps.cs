using ConvNet.Core.Tensors;

namespace ConvNet.Data.Augmentation;

/// <summary>Takes pixels from between pixels, bilinearly; outside the image is black, or what is nearest at its edge. Positions are in 65536ths of a pixel, so all arithmetic is of integers.</summary>
internal static class Bilinear
{
    private const int One = 1 << 16;

    /// <summary>Writes an image whose pixel (x, y) is the old one's at (left + x·ax + y·ay, top + x·bx + y·by).</summary>
    public static void Warp(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, (long Left, long Top) origin, (long X, long Y) alongX, (long X, long Y) alongY, bool extend)
    {
        int width = shape.Width, height = shape.Height;
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            ReadOnlySpan<byte> plane = from.Slice(channel * shape.Pixels, shape.Pixels);
            for (int y = 0; y < height; y++)
            {
                (long sx, long sy) = (origin.Left + (y * alongY.X), origin.Top + (y * alongY.Y));
                for (int x = 0; x < width; x++, sx += alongX.X, sy += alongX.Y)
                    to[(channel * shape.Pixels) + (y * width) + x] = At(plane, width, height, sx, sy, extend);
            }
        }
    }

    private static byte At(ReadOnlySpan<byte> plane, int width, int height, long x, long y, bool extend)
    {
        if (extend)
            (x, y) = (Math.Clamp(x, 0, (width - 1L) << 16), Math.Clamp(y, 0, (height - 1L) << 16));
        (int left, int top) = ((int)(x >> 16), (int)(y >> 16));
        (long right, long down) = (x & (One - 1), y & (One - 1));
        long upper = ((One - right) * Pixel(plane, width, height, left, top)) + (right * Pixel(plane, width, height, left + 1, top));
        long lower = ((One - right) * Pixel(plane, width, height, left, top + 1)) + (right * Pixel(plane, width, height, left + 1, top + 1));
        return (byte)((((One - down) * upper) + (down * lower) + (1L << 31)) >> 32);
    }

    private static int Pixel(ReadOnlySpan<byte> plane, int width, int height, int x, int y) =>
        (uint)x < (uint)width && (uint)y < (uint)height ? plane[(y * width) + x] : 0;
}

/// <summary>Turns the image about its middle by up to some degrees either way.</summary>
internal sealed record RandomRotation(float MostDegrees) : ImageTransform
{
    public override void Apply(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, ref Draws draws)
    {
        double angle = draws.Between(-MostDegrees, MostDegrees) * (Math.PI / 180);
        long cosine = (long)(Cosine(angle) * 65536), sine = (long)(Sine(angle) * 65536);
        // The middle, in half pixels to stay whole.
        long middleX = (shape.Width - 1) * 32768L, middleY = (shape.Height - 1) * 32768L;
        long left = middleX - (((middleX * cosine) - (middleY * sine)) >> 16), top = middleY - (((middleX * sine) + (middleY * cosine)) >> 16);
        Bilinear.Warp(from, to, shape, (left, top), (cosine, sine), (-sine, cosine), extend: false);
    }

    // Taylor series, good to the last place up to a half turn: the platform's sine differs in its last bit from system to system.
    private static double Sine(double x)
    {
        double sum = 0;
        for (int n = 27; n >= 1; n -= 2)
            sum = 1 - (x * x / ((n + 1) * (n + 2)) * sum);
        return x * sum;
    }

    private static double Cosine(double x)
    {
        double sum = 0;
        for (int n = 28; n >= 0; n -= 2)
            sum = 1 - (x * x / ((n + 1) * (n + 2)) * sum);
        return sum;
    }
}

/// <summary>Cuts out a random part, of at least a share of the area and sides ¾ to 4⁄3 to one, and makes it as large as the image was. Szegedy et al. 2015, §6.</summary>
internal sealed record RandomResizedCrop(float LeastArea) : ImageTransform
{
    public override void Apply(ReadOnlySpan<byte> from, Span<byte> to, Shape shape, ref Draws draws)
    {
        float area = draws.Between(LeastArea, 1), ratio = draws.Between(0.75f, 4 / 3f), row = draws.Unit(), column = draws.Unit();
        double height = Math.Min(1, Math.Sqrt(area * ratio)) * shape.Height, width = Math.Min(1, Math.Sqrt(area / ratio)) * shape.Width;
        double stepX = width / shape.Width, stepY = height / shape.Height;
        double left = (column * (shape.Width - width)) + ((stepX - 1) / 2), top = (row * (shape.Height - height)) + ((stepY - 1) / 2);
        long Fixed(double value) => (long)(value * 65536);
        Bilinear.Warp(from, to, shape, (Fixed(left), Fixed(top)), (Fixed(stepX), 0), (0, Fixed(stepY)), extend: true);
    }
}
