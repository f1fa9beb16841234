using ConvNet.Core.Tensors;
using StbImageWriteSharp;

namespace ConvNet.Data.Images;

/// <summary>An image of a data set as a small picture.</summary>
public static class Thumbnail
{
    /// <summary>Makes a PNG of an image: as large as it is, or smaller.</summary>
    /// <param name="image"><c>[C, H, W]</c>.</param>
    /// <param name="shape">C, H, W.</param>
    /// <param name="longestSide">Pixels of the longer side at most, at least 1.</param>
    public static byte[] Png(ReadOnlySpan<byte> image, Shape shape, int longestSide)
    {
        int longer = Math.Max(shape.Height, shape.Width), side = Math.Min(longer, longestSide);
        var size = new Size(Math.Max(1, shape.Height * side / longer), Math.Max(1, shape.Width * side / longer));
        using var stream = new MemoryStream();
        new ImageWriter().WritePng(Rgb(image, shape, size), size.Width, size.Height, ColorComponents.RedGreenBlue, stream);
        return stream.ToArray();
    }

    /// <summary>Red, green and blue of each pixel, row by row, of an image in another size.</summary>
    internal static byte[] Rgb(ReadOnlySpan<byte> image, Shape shape, Size size)
    {
        var plane = new byte[size.Height * size.Width];
        var rgb = new byte[3 * plane.Length];
        for (int colour = 0; colour < 3; colour++)
        {
            // Grey is all three colours; what has two channels, or more than three, shows its first ones.
            int channel = shape.Channels == 1 ? 0 : Math.Min(colour, shape.Channels - 1);
            AreaResize.Plane(image.Slice(channel * shape.Pixels, shape.Pixels), new Size(shape.Height, shape.Width), plane, size);
            for (int p = 0; p < plane.Length; p++)
                rgb[(3 * p) + colour] = plane[p];
        }

        return rgb;
    }
}
