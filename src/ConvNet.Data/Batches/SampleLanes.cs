namespace ConvNet.Data.Batches;

/// <summary>Puts images into the engine's layout: 16 samples side by side in the innermost place, normalised.</summary>
public static class SampleLanes
{
    private const int Lanes = 16;
    private const int Together = 8;

    /// <summary>Fills a micro-batch.</summary>
    /// <param name="data">The images.</param>
    /// <param name="samples">Which of them, in order.</param>
    /// <param name="normalisation">How bytes become numbers.</param>
    /// <param name="input"><c>[block][C][H][W][16]</c>, overwritten up to the last block needed: sample s is lane s mod 16 of block s / 16; lanes without a sample are zero.</param>
    /// <param name="labels">One for each lane, all overwritten: −1 where there is no sample.</param>
    public static void Fill(DataSet data, ReadOnlySpan<int> samples, Normalisation normalisation, Span<float> input, Span<int> labels)
    {
        labels.Fill(-1);
        int features = data.Shape.Elements, blocks = (samples.Length + Lanes - 1) / Lanes;
        if (samples.Length % Lanes != 0)
            input.Slice((blocks - 1) * features * Lanes, features * Lanes).Clear();
        for (int s = 0; s < samples.Length; s++)
            labels[s] = data.Label(samples[s]);
        for (int channel = 0; channel < data.Shape.Channels; channel++)
        {
            float scale = normalisation.Scale(channel), shift = normalisation.Shift(channel);
            int first = channel * data.Shape.Pixels, pixels = data.Shape.Pixels;
            int s = 0;
            for (; s + Together <= samples.Length; s += Together)
            {
                // Eight samples at once: eight streams in, half a vector of lanes out.
                FillTogether(data, samples.Slice(s, Together), first, pixels, scale, shift, input[((s / Lanes * features * Lanes) + (s % Lanes))..]);
            }

            for (; s < samples.Length; s++)
            {
                ReadOnlySpan<byte> from = data.Pixels(samples[s]).Slice(first, pixels);
                int at = (s / Lanes * features * Lanes) + (first * Lanes) + (s % Lanes);
                for (int p = 0; p < pixels; p++, at += Lanes)
                    input[at] = MathF.FusedMultiplyAdd(from[p], scale, shift);
            }
        }
    }

    private static void FillTogether(
        DataSet data, ReadOnlySpan<int> samples, int first, int pixels, float scale, float shift, Span<float> input)
    {
        ReadOnlySpan<byte> a = data.Pixels(samples[0]).Slice(first, pixels), b = data.Pixels(samples[1]).Slice(first, pixels);
        ReadOnlySpan<byte> c = data.Pixels(samples[2]).Slice(first, pixels), d = data.Pixels(samples[3]).Slice(first, pixels);
        ReadOnlySpan<byte> e = data.Pixels(samples[4]).Slice(first, pixels), f = data.Pixels(samples[5]).Slice(first, pixels);
        ReadOnlySpan<byte> g = data.Pixels(samples[6]).Slice(first, pixels), h = data.Pixels(samples[7]).Slice(first, pixels);
        for (int p = 0; p < pixels; p++)
        {
            Span<float> to = input.Slice((first + p) * Lanes, Together);
            to[0] = MathF.FusedMultiplyAdd(a[p], scale, shift);
            to[1] = MathF.FusedMultiplyAdd(b[p], scale, shift);
            to[2] = MathF.FusedMultiplyAdd(c[p], scale, shift);
            to[3] = MathF.FusedMultiplyAdd(d[p], scale, shift);
            to[4] = MathF.FusedMultiplyAdd(e[p], scale, shift);
            to[5] = MathF.FusedMultiplyAdd(f[p], scale, shift);
            to[6] = MathF.FusedMultiplyAdd(g[p], scale, shift);
            to[7] = MathF.FusedMultiplyAdd(h[p], scale, shift);
        }
    }
}
