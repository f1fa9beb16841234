using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using StbImageWriteSharp;

namespace ConvNet.Cli.Reports;

/// <summary>The filters of a network's first convolution as a picture: what it looks for in an image.</summary>
/// <remarks>A filter is a tile; a weight of 0 is middle grey, and the greatest weight of all, by amount, black or white. Filters of three channels are in colour, others show the mean of their channels.</remarks>
internal static class FilterPicture
{
    private const int TileSide = 64, Gap = 4, MostColumns = 16, Most = 256, Channels = 4;

    /// <summary>Draws them as PNG, transparent between the tiles; null where no convolution of more than a pixel sees the image first.</summary>
    public static byte[]? Png(Network network, ReadOnlySpan<float> weights)
    {
        if (First(network) is not { } parameter)
            return null;
        (int filters, int channels, int height, int width) = (Math.Min(Most, parameter.Shape[0]), parameter.Shape[1], parameter.Shape[2], parameter.Shape[3]);
        ReadOnlySpan<float> all = weights.Slice(parameter.Offset, parameter.Length);
        float greatest = float.Epsilon;
        foreach (float weight in all)
            greatest = Math.Max(greatest, Math.Abs(weight));
        int pixel = Math.Max(1, TileSide / Math.Max(height, width)), columns = Math.Min(MostColumns, (int)Math.Ceiling(Math.Sqrt(2 * filters)));
        int rows = (filters + columns - 1) / columns, across = (columns * ((pixel * width) + Gap)) - Gap, down = (rows * ((pixel * height) + Gap)) - Gap;
        var rgba = new byte[Channels * across * down];
        for (int filter = 0; filter < filters; filter++)
        {
            int left = filter % columns * ((pixel * width) + Gap), top = filter / columns * ((pixel * height) + Gap);
            ReadOnlySpan<float> own = all.Slice(filter * channels * height * width, channels * height * width);
            for (int y = 0; y < height * pixel; y++)
            {
                for (int x = 0; x < width * pixel; x++)
                {
                    Span<byte> target = rgba.AsSpan(Channels * (((top + y) * across) + left + x), Channels);
                    for (int colour = 0; colour < 3; colour++)
                        target[colour] = (byte)Math.Clamp(128 + (127 * Value(own, channels, height * width, (y / pixel * width) + (x / pixel), colour) / greatest), 0, 255);
                    target[3] = byte.MaxValue;
                }
            }
        }

        using var stream = new MemoryStream();
        new ImageWriter().WritePng(rgba, across, down, ColorComponents.RedGreenBlueAlpha, stream);
        return stream.ToArray();
    }

    private static Parameter? First(Network network)
    {
        Node? node = network.Nodes.FirstOrDefault(n => n.Layer is Conv2D && n.Inputs.Contains(Network.InputNode));
        Parameter? weight = node == null ? null : network.Parameters.First(p => p.Offset == node.FirstParameter);
        return weight is { Shape: [_, _, var height, var width] } && height * width > 1 ? weight : null;
    }

    private static float Value(ReadOnlySpan<float> filter, int channels, int pixels, int place, int colour)
    {
        if (channels == 3)
            return filter[(colour * pixels) + place];
        float sum = 0;
        for (int channel = 0; channel < channels; channel++)
            sum += filter[(channel * pixels) + place];
        return sum / channels;
    }
}
