namespace ConvNet.Data;

/// <summary>How a pixel byte becomes a number near 0: (byte / 255 − mean) / deviation, for each channel.</summary>
/// <remarks>
/// Computed as one fused multiply-add, byte·scale + shift, with scale = 1 / (255·deviation) and shift = −mean / deviation, both worked out in double
/// and rounded once. Sums over a data set are of integers, so they are exact and the same everywhere.
/// </remarks>
/// <param name="Mean">Of each channel, with pixels in 0…1.</param>
/// <param name="Deviation">Standard deviation of each channel, with pixels in 0…1; more than 0.</param>
public sealed record Normalisation(IReadOnlyList<float> Mean, IReadOnlyList<float> Deviation)
{
    /// <summary>What a byte of a channel is multiplied with.</summary>
    public float Scale(int channel) => (float)(1 / (255.0 * Deviation[channel]));

    /// <summary>What is added then.</summary>
    public float Shift(int channel) => (float)(-(double)Mean[channel] / Deviation[channel]);

    /// <summary>Mean and deviation of all pixels of a data set. A channel without any contrast gets a deviation of 1.</summary>
    public static Normalisation Of(DataSet data)
    {
        int channels = data.Shape.Channels, pixels = data.Shape.Pixels;
        var mean = new float[channels];
        var deviation = new float[channels];
        for (int channel = 0; channel < channels; channel++)
        {
            ulong sum = 0, squares = 0;
            for (int i = 0; i < data.Count; i++)
            {
                // A plane's sums fit 32 bits up to 66 000 pixels; adding them up by plane keeps the inner loop short.
                uint planeSum = 0, planeSquares = 0;
                ReadOnlySpan<byte> plane = data.Pixels(i).Slice(channel * pixels, pixels);
                for (int p = 0; p < plane.Length; p++)
                {
                    planeSum += plane[p];
                    planeSquares += (uint)(plane[p] * plane[p]);
                    if ((p & 0x7FFF) == 0x7FFF)
                    {
                        (sum, squares) = (sum + planeSum, squares + planeSquares);
                        planeSum = planeSquares = 0;
                    }
                }

                (sum, squares) = (sum + planeSum, squares + planeSquares);
            }

            double count = (double)data.Count * pixels, average = sum / count;
            double variance = (squares / count) - (average * average);
            mean[channel] = (float)(average / 255);
            deviation[channel] = variance > 0 ? (float)(Math.Sqrt(variance) / 255) : 1;
        }

        return new Normalisation(mean, deviation);
    }
}
