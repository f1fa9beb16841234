using ConvNet.Core.Tensors;
using ConvNet.Data.Files;
using StbImageWriteSharp;

namespace ConvNet.Data.Images;

/// <summary>A picture of a data set: a row for each class, with its name and its first images.</summary>
public static class ContactSheet
{
    private const int Gap = 2, Margin = 6, LetterSize = 2, LongestName = 24, SmallSide = 48, LargeSide = 96;
    private const byte Paper = 255, Ink = 0;

    /// <summary>Draws a sheet and writes it as a PNG file.</summary>
    /// <param name="path">The file; what is there is replaced.</param>
    /// <param name="data">The images.</param>
    /// <param name="columns">Images of a class, at least 1.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, DataSet data, int columns = 10)
    {
        (int width, int height, byte[] rgb) = Draw(data, columns);
        AtomicFile.Write(path, stream => new ImageWriter().WritePng(rgb, width, height, ColorComponents.RedGreenBlue, stream));
    }

    /// <summary>Draws a sheet: width and height in pixels, and red, green, blue of each, row by row.</summary>
    internal static (int Width, int Height, byte[] Rgb) Draw(DataSet data, int columns)
    {
        Size cell = Cell(data.Shape);
        string[] names = [.. data.ClassNames.Select(n => n.Length > LongestName ? $"{n[..(LongestName - 2)]}.." : n)];
        int left = Margin + (names.Max(n => n.Length) * PixelLetters.Advance * LetterSize) + Margin;
        int line = Math.Max(cell.Height, PixelLetters.Height * LetterSize) + Gap;
        int width = left + (columns * (cell.Width + Gap)) + Margin, height = Margin + (names.Length * line) + Margin;
        var rgb = new byte[3 * width * height];
        rgb.AsSpan().Fill(Paper);
        var drawn = new int[names.Length];
        for (int label = 0; label < names.Length; label++)
        {
            int top = Margin + (label * line) + ((line - (PixelLetters.Height * LetterSize)) / 2);
            PixelLetters.Draw(names[label], (x, y) =>
            {
                for (int row = 0; row < LetterSize; row++)
                    rgb.AsSpan(3 * (((top + (y * LetterSize) + row) * width) + Margin + (x * LetterSize)), 3 * LetterSize).Fill(Ink);
            });
        }

        var image = new byte[data.Shape.Elements];
        for (int i = 0; i < data.Count && drawn.Any(n => n < columns); i++)
        {
            int label = data.Label(i);
            if (drawn[label] >= columns)
                continue;
            data.Read(i, image);
            Place(image, data.Shape, cell, rgb, width, left + (drawn[label]++ * (cell.Width + Gap)), Margin + (label * line));
        }

        return (width, height, rgb);
    }

    /// <summary>The size that an image has on the sheet: small ones are made several times as large, large ones smaller.</summary>
    private static Size Cell(Shape shape)
    {
        int longer = Math.Max(shape.Height, shape.Width);
        return longer > LargeSide
            ? new Size(Math.Max(1, shape.Height * LargeSide / longer), Math.Max(1, shape.Width * LargeSide / longer))
            : new Size(shape.Height * Math.Max(1, SmallSide / longer), shape.Width * Math.Max(1, SmallSide / longer));
    }

    private static void Place(ReadOnlySpan<byte> image, Shape shape, Size cell, byte[] rgb, int width, int left, int top)
    {
        byte[] small = Thumbnail.Rgb(image, shape, cell);
        for (int y = 0; y < cell.Height; y++)
            small.AsSpan(3 * y * cell.Width, 3 * cell.Width).CopyTo(rgb.AsSpan(3 * (((top + y) * width) + left)));
    }
}
