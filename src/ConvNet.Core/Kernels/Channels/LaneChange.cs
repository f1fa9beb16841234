using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Channels;

/// <summary>Between 16 samples and 16 channels side by side. Moves numbers, computes nothing.</summary>
internal static unsafe class LaneChange
{
    /// <summary>The network's input <c>[N/16][C][H][W][16]</c> to <c>[N][H][W][C]</c> with padding around it.</summary>
    /// <param name="from">16 samples side by side.</param>
    /// <param name="to">Overwritten, its padding with zeros.</param>
    /// <param name="x">C, H, W without padding.</param>
    /// <param name="padded">C, H, W with padding.</param>
    /// <param name="top">Rows of padding above.</param>
    /// <param name="left">Columns of padding on the left.</param>
    /// <param name="samples">Samples.</param>
    public static void ToPixels(float* from, float* to, Shape x, Shape padded, int top, int left, int samples)
    {
        new Span<float>(to, samples * padded.Elements).Clear();
        for (int sample = 0; sample < samples; sample++)
        {
            float* block = from + ((nint)sample / Stripes.Count * x.Elements * Stripes.Count) + (sample % Stripes.Count);
            float* image = to + ((nint)sample * padded.Elements);
            for (int row = 0; row < x.Height; row++)
            {
                float* line = image + ((((nint)(row + top) * padded.Width) + left) * x.Channels);
                for (int channel = 0; channel < x.Channels; channel++)
                {
                    float* source = block + ((((nint)channel * x.Height) + row) * x.Width * Stripes.Count);
                    for (int column = 0; column < x.Width; column++)
                        line[(column * x.Channels) + channel] = source[column * Stripes.Count];
                }
            }
        }
    }

    /// <summary><c>[N][C/16][H][W][16]</c> to <c>[N/16][C][H][W][16]</c>; lanes without a sample become 0.</summary>
    public static void ToSamples(float* from, float* to, Shape x, int samples)
    {
        int units = Extent.Groups(samples), groups = Extent.Groups(x.Channels), elements = x.Elements;
        for (int block = 0; block < units; block++, to += (nint)elements * Stripes.Count)
        {
            int count = Math.Min(Stripes.Count, samples - (block * Stripes.Count));
            if (count < Stripes.Count)
                new Span<float>(to, elements * Stripes.Count).Clear();
            for (int lane = 0; lane < count; lane++)
            {
                float* sample = from + ((nint)((block * Stripes.Count) + lane) * groups * x.Pixels * Stripes.Count);
                for (int channel = 0; channel < x.Channels; channel++)
                {
                    float* plane = sample + ((nint)channel / Stripes.Count * x.Pixels * Stripes.Count) + (channel % Stripes.Count);
                    float* row = to + ((nint)channel * x.Pixels * Stripes.Count) + lane;
                    for (int pixel = 0; pixel < x.Pixels; pixel++)
                        row[pixel * Stripes.Count] = plane[pixel * Stripes.Count];
                }
            }
        }
    }

    /// <summary><c>[N/16][C][H][W][16]</c> to <c>[N][C/16][H][W][16]</c>; channels that are not there become 0.</summary>
    public static void ToChannels(float* from, float* to, Shape x, int samples)
    {
        int groups = Extent.Groups(x.Channels);
        if (x.Channels % Stripes.Count != 0)
            new Span<float>(to, samples * groups * x.Pixels * Stripes.Count).Clear();
        for (int sample = 0; sample < samples; sample++)
        {
            float* block = from + ((nint)sample / Stripes.Count * x.Elements * Stripes.Count) + (sample % Stripes.Count);
            float* image = to + ((nint)sample * groups * x.Pixels * Stripes.Count);
            for (int channel = 0; channel < x.Channels; channel++)
            {
                float* plane = image + ((nint)channel / Stripes.Count * x.Pixels * Stripes.Count) + (channel % Stripes.Count);
                float* row = block + ((nint)channel * x.Pixels * Stripes.Count);
                for (int pixel = 0; pixel < x.Pixels; pixel++)
                    plane[pixel * Stripes.Count] = row[pixel * Stripes.Count];
            }
        }
    }
}
