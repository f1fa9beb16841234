using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Kernels.Winograd;

/// <summary>The specification of the passes by Winograd's method: plain loops over scalars in the canonical order. Nothing calls this but tests.</summary>
internal static unsafe class WinogradReference
{
    private delegate void Transform(ReadOnlySpan<float> from, Span<float> to);

    /// <summary>y from x; or, with <paramref name="backward"/>, dx from dy.</summary>
    public static void Correlate(ConvolutionGeometry g, WinogradTiling t, bool backward, int samples, float* weights, float* x, float* bias, float* y, bool rectify)
    {
        Span<float> v = stackalloc float[36], u = stackalloc float[36], m = stackalloc float[36], result = stackalloc float[16];
        for (int tile = 0; tile < samples * t.TilesOfSample; tile++)
        {
            (int sample, int top, int left) = Place(t, tile);
            for (int destination = 0; destination < t.Destination.Channels; destination++)
            {
                m.Clear();
                for (int block = 0; block < t.Source.Channels; block += SumBlocks.Terms)
                {
                    Span<float> part = new float[36];
                    for (int source = block; source < Math.Min(block + SumBlocks.Terms, t.Source.Channels); source++)
                    {
                        Input(t, x, sample, source, top, left, v);
                        Window(g, t.Window, backward, weights, destination, source, u);
                        for (int place = 0; place < 36; place++)
                            part[place] = MathF.FusedMultiplyAdd(v[place], u[place], part[place]);
                    }

                    for (int place = 0; place < 36; place++)
                        m[place] = block == 0 ? part[place] : m[place] + part[place];
                }

                Both(m, 6, 6, t.Tile, t.Tile == 4 ? Outputs : Outputs2, result);
                for (int pixel = 0; pixel < t.Tile * t.Tile; pixel++)
                {
                    (int row, int column) = (top + (pixel / t.Tile), left + (pixel % t.Tile));
                    if (!t.Destination.Holds(row, column))
                        continue;
                    float value = bias == null ? result[pixel] : result[pixel] + bias[destination];
                    y[ChannelReference.At(t.Destination, sample, destination, row, column)] = rectify && value <= 0 ? 0 : value;
                }
            }
        }
    }

    /// <summary>dw from x and dy.</summary>
    public static void WeightGradient(ConvolutionGeometry g, WinogradTiling t, int samples, float* x, float* dy, float* dw)
    {
        Span<float> v = stackalloc float[36], dm = stackalloc float[36], outputs = stackalloc float[16], du = stackalloc float[36], sum = stackalloc float[36];
        int tiles = samples * t.TilesOfSample;
        for (int pair = 0; pair < g.OutChannels * g.Input.Channels; pair++)
        {
            (int oc, int c) = (pair / g.Input.Channels, pair % g.Input.Channels);
            for (int first = 0; first < tiles; first += t.Together)
            {
                sum.Clear();
                for (int tile = first; tile < Math.Min(first + t.Together, tiles); tile++)
                {
                    (int sample, int top, int left) = Place(t, tile);
                    Input(t, x, sample, c, top, left, v);
                    for (int pixel = 0; pixel < t.Tile * t.Tile; pixel++)
                    {
                        (int row, int column) = (top + (pixel / t.Tile), left + (pixel % t.Tile));
                        outputs[pixel] = g.Output.Holds(row, column) ? dy[ChannelReference.At(g.Output, sample, oc, row, column)] : 0;
                    }

                    Both(outputs, t.Tile, t.Tile, 6, t.Tile == 4 ? OutputGradients : OutputGradients2, dm);
                    for (int place = 0; place < 36; place++)
                        sum[place] = MathF.FusedMultiplyAdd(v[place], dm[place], sum[place]);
                }

                for (int place = 0; place < 36; place++)
                    du[place] = first == 0 ? sum[place] : du[place] + sum[place];
            }

            Both(du, 6, 6, t.Window, t.Window == 3 ? WeightGradients : WeightGradients5, new Span<float>(dw + (pair * t.Window * t.Window), t.Window * t.Window));
        }
    }

    private static (int Sample, int Top, int Left) Place(WinogradTiling t, int tile) =>
        (tile / t.TilesOfSample, tile % t.TilesOfSample / t.Columns * t.Tile, tile % t.TilesOfSample % t.Columns * t.Tile);

    private static void Input(WinogradTiling t, float* x, int sample, int channel, int top, int left, Span<float> v)
    {
        Span<float> square = stackalloc float[36];
        for (int i = 0; i < 36; i++)
        {
            (int row, int column) = (top - t.Top + (i / 6), left - t.Left + (i % 6));
            square[i] = t.Source.Holds(row, column) ? x[ChannelReference.At(t.Source, sample, channel, row, column)] : 0;
        }

        Both(square, 6, 6, 6, Inputs, v);
    }

    private static void Window(ConvolutionGeometry g, int size, bool backward, float* weights, int destination, int source, Span<float> u)
    {
        (int oc, int c) = backward ? (source, destination) : (destination, source);
        int taps = size * size;
        Span<float> window = stackalloc float[taps];
        for (int tap = 0; tap < taps; tap++)
            window[tap] = weights[(((oc * g.Input.Channels) + c) * taps) + (backward ? taps - 1 - tap : tap)];
        Both(window, size, size, 6, size == 3 ? Weights : Weights5, u);
    }

    /// <summary>A transform along the rows, then along the columns.</summary>
    private static void Both(ReadOnlySpan<float> from, int rows, int columns, int size, Transform transform, Span<float> to)
    {
        Span<float> between = stackalloc float[36], line = stackalloc float[6], result = stackalloc float[6];
        for (int row = 0; row < rows; row++)
            transform(from.Slice(row * columns, columns), between.Slice(row * size, size));
        for (int column = 0; column < size; column++)
        {
            for (int row = 0; row < rows; row++)
                line[row] = between[(row * size) + column];
            transform(line[..rows], result[..size]);
            for (int row = 0; row < size; row++)
                to[(row * size) + column] = result[row];
        }
    }

    private static void Inputs(ReadOnlySpan<float> d, Span<float> t)
    {
        float a = Fma(-4, d[2], d[4]), b = Fma(-4, d[1], d[3]), c = d[4] - d[2], e = (d[3] - d[1]) + (d[3] - d[1]);
        (t[0], t[1], t[2], t[3], t[4], t[5]) = (Fma(4, d[0], Fma(-5, d[2], d[4])), a + b, a - b, c + e, c - e, Fma(4, d[1], Fma(-5, d[3], d[5])));
    }

    private static void Outputs(ReadOnlySpan<float> m, Span<float> y)
    {
        float s = m[1] + m[2], d = m[1] - m[2], p = m[3] + m[4], q = m[3] - m[4];
        (y[0], y[1], y[2], y[3]) = ((m[0] + s) + p, Fma(2, q, d), Fma(4, p, s), Fma(8, q, d) + m[5]);
    }

    private static void OutputGradients(ReadOnlySpan<float> y, Span<float> m)
    {
        float even = y[0] + y[2], odd = y[1] + y[3], wide = Fma(4, y[2], y[0]), far = Fma(4, y[3], y[1]) + Fma(4, y[3], y[1]);
        (m[0], m[1], m[2], m[3], m[4], m[5]) = (y[0], even + odd, even - odd, wide + far, wide - far, y[3]);
    }

    private static void Weights(ReadOnlySpan<float> g, Span<float> u)
    {
        float ends = (-1f / 6) * (g[0] + g[2]), middle = (-1f / 6) * g[1], far = Fma(1f / 24, g[0], (1f / 6) * g[2]), near = (1f / 12) * g[1];
        (u[0], u[1], u[2], u[3], u[4], u[5]) = (0.25f * g[0], ends + middle, ends - middle, far + near, far - near, g[2]);
    }

    private static void WeightGradients(ReadOnlySpan<float> u, Span<float> g)
    {
        float near = u[1] + u[2], far = u[3] + u[4], away = u[2] - u[1], apart = u[3] - u[4];
        (g[0], g[1], g[2]) = (Fma(1f / 24, far, Fma(-1f / 6, near, 0.25f * u[0])), Fma(1f / 12, apart, (1f / 6) * away), Fma(1f / 6, far, (-1f / 6) * near) + u[5]);
    }

    private static void Outputs2(ReadOnlySpan<float> m, Span<float> y)
    {
        float s = m[1] + m[2], d = m[1] - m[2], p = m[3] + m[4], q = m[3] - m[4];
        (y[0], y[1]) = ((m[0] + s) + p, Fma(2, q, d) + m[5]);
    }

    private static void OutputGradients2(ReadOnlySpan<float> y, Span<float> m)
    {
        float far = y[1] + y[1];
        (m[0], m[1], m[2], m[3], m[4], m[5]) = (y[0], y[0] + y[1], y[0] - y[1], y[0] + far, y[0] - far, y[1]);
    }

    private static void Weights5(ReadOnlySpan<float> g, Span<float> u)
    {
        float ends = (-1f / 6) * ((g[0] + g[2]) + g[4]), middle = (-1f / 6) * (g[1] + g[3]);
        float far = Fma(1f / 24, g[0], Fma(1f / 6, g[2], (2f / 3) * g[4])), near = Fma(1f / 12, g[1], (1f / 3) * g[3]);
        (u[0], u[1], u[2], u[3], u[4], u[5]) = (0.25f * g[0], ends + middle, ends - middle, far + near, far - near, g[4]);
    }

    private static void WeightGradients5(ReadOnlySpan<float> u, Span<float> g)
    {
        float near = (-1f / 6) * (u[1] + u[2]), far = u[3] + u[4], away = (1f / 6) * (u[2] - u[1]), apart = u[3] - u[4];
        (g[0], g[1], g[2]) = (Fma(1f / 24, far, Fma(0.25f, u[0], near)), Fma(1f / 12, apart, away), Fma(1f / 6, far, near));
        (g[3], g[4]) = (Fma(1f / 3, apart, away), Fma(2f / 3, far, near) + u[5]);
    }

    private static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);
}
