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

    /// <summary>Mean and deviation of all pixels of a data set, on all cores. A channel without any contrast gets a deviation of 1.</summary>
    /// <exception cref="DataException">An image cannot be read.</exception>
    public static Normalisation Of(DataSet data)
    {
        var all = new Sums(data.Shape.Channels);
        OnAllCores.Run(data.Count, () => (Sums: new Sums(data.Shape.Channels), Image: data.InMemory ? [] : new byte[data.Shape.Elements]), (i, own) =>
        {
            if (!data.InMemory)
                data.Read(i, own.Image);
            own.Sums.Add(data.InMemory ? data.Pixels(i) : own.Image, data.Shape.Pixels);
        }, own => all.Add(own.Sums));
        return all.Normalisation((double)data.Count * data.Shape.Pixels);
    }

    /// <summary>Sums over pixels, of each channel. They are of integers: in whatever order, they come to the same.</summary>
    private sealed class Sums(int channels)
    {
        private readonly ulong[] _sums = new ulong[channels], _squares = new ulong[channels];

        public void Add(ReadOnlySpan<byte> image, int pixels)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                // A plane's sums fit 32 bits up to 66 000 pixels; adding them up by plane keeps the inner loop short.
                uint planeSum = 0, planeSquares = 0;
                ReadOnlySpan<byte> plane = image.Slice(channel * pixels, pixels);
                for (int p = 0; p < plane.Length; p++)
                {
                    planeSum += plane[p];
                    planeSquares += (uint)(plane[p] * plane[p]);
                    if ((p & 0x7FFF) == 0x7FFF)
                    {
                        (_sums[channel], _squares[channel]) = (_sums[channel] + planeSum, _squares[channel] + planeSquares);
                        planeSum = planeSquares = 0;
                    }
                }

                (_sums[channel], _squares[channel]) = (_sums[channel] + planeSum, _squares[channel] + planeSquares);
            }
        }

        public void Add(Sums other)
        {
            for (int channel = 0; channel < channels; channel++)
                (_sums[channel], _squares[channel]) = (_sums[channel] + other._sums[channel], _squares[channel] + other._squares[channel]);
        }

        public Normalisation Normalisation(double count)
        {
            var mean = new float[channels];
            var deviation = new float[channels];
            for (int channel = 0; channel < channels; channel++)
            {
                double average = _sums[channel] / count, variance = (_squares[channel] / count) - (average * average);
                mean[channel] = (float)(average / 255);
                deviation[channel] = variance > 0 ? (float)(Math.Sqrt(variance) / 255) : 1;
            }

            return new Normalisation(mean, deviation);
        }
    }
}
