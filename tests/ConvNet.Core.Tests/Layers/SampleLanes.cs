namespace ConvNet.Core.Tests.Layers;

/// <summary>Between <c>[N, features]</c> in double and the engine's <c>[block][features][16]</c>.</summary>
internal static class SampleLanes
{
    public static int Blocks(int samples) => (samples + 15) / 16;

    public static void Write(double[] values, int samples, Span<float> lanes, float empty = 0)
    {
        int features = values.Length / samples;
        lanes.Fill(empty);
        for (int n = 0; n < samples; n++)
        {
            for (int f = 0; f < features; f++)
                lanes[(((n / 16 * features) + f) * 16) + (n % 16)] = (float)values[(n * features) + f];
        }
    }

    /// <summary>What is in the lanes that hold no sample.</summary>
    public static float[] Empty(ReadOnlySpan<float> lanes, int samples, int features)
    {
        var values = new List<float>();
        for (int n = samples; n < Blocks(samples) * 16; n++)
        {
            for (int f = 0; f < features; f++)
                values.Add(lanes[(((n / 16 * features) + f) * 16) + (n % 16)]);
        }

        return [.. values];
    }

    public static double[] Read(ReadOnlySpan<float> lanes, int samples, int features)
    {
        var values = new double[samples * features];
        for (int n = 0; n < samples; n++)
        {
            for (int f = 0; f < features; f++)
                values[(n * features) + f] = lanes[(((n / 16 * features) + f) * 16) + (n % 16)];
        }

        return values;
    }
}
