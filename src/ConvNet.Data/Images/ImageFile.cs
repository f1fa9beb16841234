using ConvNet.Core.Tensors;
using StbImageSharp;

namespace ConvNet.Data.Images;

/// <summary>Reads a PNG, JPEG, BMP, GIF or TGA picture into the shape that a network takes.</summary>
public static class ImageFile
{
    private const int MostBytes = 1 << 28;
    private const long MostPixels = 1L << 28;

    /// <summary>Reads a picture.</summary>
    /// <remarks>
    /// Grey from colour: (77·R + 150·G + 29·B) / 256, after the weights of ITU-R BT.601. Another size: each new pixel is the mean of the area that it
    /// covers, in integers. A see-through pixel is taken as it is, without its background.
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="shape">1 or 3 channels, any size.</param>
    /// <returns><c>[C, H, W]</c>.</returns>
    /// <exception cref="DataException">The file is missing or no picture, or the shape has another number of channels.</exception>
    public static byte[] Read(string path, Shape shape)
    {
        if (shape.Channels is not (1 or 3))
            throw new DataException($"{path}: the model takes images of {shape.Channels} channels; a picture gives 1 or 3.");
        ImageResult image = Decode(path);
        var planes = new byte[shape.Elements];
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            byte[] plane = Plane(image, shape.Channels == 1 ? -1 : channel);
            AreaResize.Plane(plane, new Size(image.Height, image.Width), planes.AsSpan(channel * shape.Pixels, shape.Pixels), new Size(shape.Height, shape.Width));
        }

        return planes;
    }

    /// <summary>Reads a colour picture: the largest part about its middle that has the form wanted, made the size wanted, each new pixel the mean of the area that it covers.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">3 channels, any size.</param>
    /// <param name="planes"><c>[C, H, W]</c>, all overwritten.</param>
    /// <exception cref="DataException">The file is missing or no picture.</exception>
    public static void ReadCut(string path, Shape shape, Span<byte> planes)
    {
        ImageResult image = Decode(path);
        bool wide = (long)image.Width * shape.Height > (long)image.Height * shape.Width;
        int width = wide ? Math.Max(1, (int)((long)image.Height * shape.Width / shape.Height)) : image.Width;
        int height = wide ? image.Height : Math.Max(1, (int)((long)image.Width * shape.Height / shape.Width));
        int left = (image.Width - width) / 2, top = (image.Height - height) / 2;
        var cut = new byte[width * height];
        for (int channel = 0; channel < 3; channel++)
        {
            for (int y = 0; y < height; y++)
            {
                ReadOnlySpan<byte> row = image.Data.AsSpan(3 * (((top + y) * image.Width) + left), 3 * width);
                Span<byte> target = cut.AsSpan(y * width, width);
                for (int x = 0; x < target.Length; x++)
                    target[x] = row[(3 * x) + channel];
            }

            AreaResize.Plane(cut, new Size(height, width), planes.Slice(channel * shape.Pixels, shape.Pixels), new Size(shape.Height, shape.Width));
        }
    }

    /// <summary>Whether a file is a picture that can be decoded. One that cannot be read at all is an error all the same: a disk's fault is no picture's.</summary>
    /// <exception cref="DataException">The file is missing or cannot be read.</exception>
    public static bool IsPicture(string path) => TryDecode(path, out _) is not null;

    /// <summary>Turns dark on light into light on dark, as the digit sets have it, in place: if the picture's border is lighter than its middle grey, every value v becomes 255 − v.</summary>
    public static void LightOnDark(Span<byte> plane, int width, int height)
    {
        int sum = 0, count = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x += y == 0 || y == height - 1 ? 1 : Math.Max(1, width - 1))
            {
                sum += plane[(y * width) + x];
                count++;
            }
        }

        if (sum <= count * 127)
            return;
        for (int i = 0; i < plane.Length; i++)
            plane[i] = (byte)(255 - plane[i]);
    }

    private static ImageResult Decode(string path) =>
        TryDecode(path, out Exception? broken) ?? throw new DataException($"{path}: is no picture that can be read, or is damaged{(broken is InvalidDataException ? $": {broken.Message}" : "")}; PNG, JPEG, BMP, GIF and TGA can.", broken!);

    private static ImageResult? TryDecode(string path, out Exception? broken)
    {
        broken = null;
        byte[] file;
        try
        {
            if (new FileInfo(path).Length > MostBytes)
                throw new DataException($"{path}: is larger than {MostBytes >> 20} MB; that is no picture to predict from.");
            file = File.ReadAllBytes(path);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read ({missing.Message.TrimEnd('.')}).", missing);
        }

        try
        {
            using var stream = new PictureStream(file);
            if (ImageInfo.FromStream(stream) is { } info && (long)info.Width * info.Height > MostPixels)
                throw new InvalidDataException($"it says that it has {info.Width} × {info.Height} pixels");
            if (IsCutOff(file))
                throw new InvalidDataException("it is cut off");
            stream.Position = 0;
            return ImageResult.FromStream(stream, ColorComponents.RedGreenBlue);
        }
        catch (Exception damage) when (damage is InvalidOperationException or IndexOutOfRangeException or ArgumentException or EndOfStreamException or OverflowException or InvalidDataException)
        {
            broken = damage;
            return null;
        }
    }

    /// <summary>Whether a JPEG file ends within its pixels: the decoder would make the rest of them up. No two bytes of pixels look like a marker.</summary>
    private static bool IsCutOff(ReadOnlySpan<byte> file)
    {
        const byte Marker = 0xFF, StartOfImage = 0xD8, EndOfImage = 0xD9, StartOfScan = 0xDA;
        if (!file.StartsWith([Marker, StartOfImage]))
            return false;
        ReadOnlySpan<byte> rest = file;
        int last = rest.LastIndexOf([Marker, EndOfImage]);
        return last < 0 || rest[last..].IndexOf([Marker, StartOfScan]) >= 0;
    }

    private static byte[] Plane(ImageResult image, int channel)
    {
        var plane = new byte[image.Width * image.Height];
        for (int i = 0; i < plane.Length; i++)
        {
            ReadOnlySpan<byte> rgb = image.Data.AsSpan(3 * i, 3);
            plane[i] = channel >= 0 ? rgb[channel] : (byte)(((77 * rgb[0]) + (150 * rgb[1]) + (29 * rgb[2])) >> 8);
        }

        return plane;
    }
}
