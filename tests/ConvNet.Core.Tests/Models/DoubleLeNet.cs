namespace ConvNet.Core.Tests.Models;

/// <summary>LeNet-5 and its training written out in double precision, loop by loop: shares nothing with the engine but the initial weights.</summary>
/// <remarks>Square images of one channel. Every layer adds its gradient by the weights into <see cref="_gradient"/> and returns its gradient by the input.</remarks>
internal sealed class DoubleLeNet
{
    private readonly bool _modern;
    private readonly int _size, _classes;
    private readonly double[] _weights, _gradient, _velocity;

    public DoubleLeNet(bool modern, int size, int classes, float[] weights)
    {
        (_modern, _size, _classes) = (modern, size, classes);
        _weights = [.. weights.Select(w => (double)w)];
        (_gradient, _velocity) = (new double[weights.Length], new double[weights.Length]);
    }

    /// <summary>One step; returns the mean loss before it.</summary>
    public double Step((double[] Image, int Label)[] samples, double rate, double momentum, double decay)
    {
        Array.Clear(_gradient);
        double loss = samples.Sum(s => Sample(s.Image, s.Label));
        for (int i = 0; i < _weights.Length; i++)
        {
            _velocity[i] = (momentum * _velocity[i]) + (_gradient[i] / samples.Length) + (decay * _weights[i]);
            _weights[i] -= rate * _velocity[i];
        }

        return loss / samples.Length;
    }

    private double Sample(double[] image, int label)
    {
        int s1 = _size, s2 = s1 / 2, s3 = s2 - 4, s4 = s3 / 2;
        int conv2 = 6 * 26, fc1 = conv2 + (16 * 151), flat = 16 * s4 * s4, fc2 = fc1 + (120 * (flat + 1)), fc3 = fc2 + (84 * 121);
        double[] c1 = Activate(Convolve(image, 1, s1, 6, 2, 0)), p1 = Pool(c1, 6, s1);
        double[] c2 = Activate(Convolve(p1, 6, s2, 16, 0, conv2)), p2 = Pool(c2, 16, s3);
        double[] f1 = Activate(Multiply(p2, 120, fc1)), f2 = Activate(Multiply(f1, 84, fc2)), z = Multiply(f2, _classes, fc3);

        double most = z.Max(), sum = z.Sum(v => Math.Exp(v - most));
        double[] d = [.. z.Select((v, i) => (Math.Exp(v - most) / sum) - (i == label ? 1 : 0))];
        d = MultiplyBack(f2, d, fc3);
        d = MultiplyBack(f1, ActivateBack(f2, d), fc2);
        d = MultiplyBack(p2, ActivateBack(f1, d), fc1);
        d = ConvolveBack(p1, 6, s2, ActivateBack(c2, PoolBack(c2, p2, d, 16, s3)), 16, 0, conv2);
        ConvolveBack(image, 1, s1, ActivateBack(c1, PoolBack(c1, p1, d, 6, s1)), 6, 2, 0);
        return Math.Log(sum) + most - z[label];
    }

    private double[] Activate(double[] x) => [.. x.Select(v => _modern ? Math.Max(0, v) : Math.Tanh(v))];

    private double[] ActivateBack(double[] y, double[] dy) => [.. y.Zip(dy, (v, d) => _modern ? (v > 0 ? d : 0) : d * (1 - (v * v)))];

    private double[] Convolve(double[] x, int channels, int size, int outputs, int pad, int at)
    {
        int outputSize = size + (2 * pad) - 4, bias = at + (outputs * channels * 25);
        var y = new double[outputs * outputSize * outputSize];
        EachTap(channels, size, outputs, pad, (from, to, weight) => y[to] += _weights[at + weight] * x[from]);
        for (int i = 0; i < y.Length; i++)
            y[i] += _weights[bias + (i / (outputSize * outputSize))];
        return y;
    }

    private double[] ConvolveBack(double[] x, int channels, int size, double[] dy, int outputs, int pad, int at)
    {
        int outputSize = size + (2 * pad) - 4, bias = at + (outputs * channels * 25);
        var dx = new double[x.Length];
        EachTap(channels, size, outputs, pad, (from, to, weight) =>
        {
            dx[from] += _weights[at + weight] * dy[to];
            _gradient[at + weight] += x[from] * dy[to];
        });
        for (int i = 0; i < dy.Length; i++)
            _gradient[bias + (i / (outputSize * outputSize))] += dy[i];
        return dx;
    }

    /// <summary>Every place of a 5×5 window that lies on the image: what it reads, what it adds to, by which weight.</summary>
    private static void EachTap(int channels, int size, int outputs, int pad, Action<int, int, int> visit)
    {
        int outputSize = size + (2 * pad) - 4;
        for (int o = 0; o < outputs; o++)
        {
            for (int c = 0; c < channels; c++)
            {
                for (int tap = 0; tap < 25; tap++)
                {
                    for (int place = 0; place < outputSize * outputSize; place++)
                    {
                        int row = (place / outputSize) + (tap / 5) - pad, column = (place % outputSize) + (tap % 5) - pad;
                        if (row >= 0 && row < size && column >= 0 && column < size)
                            visit((((c * size) + row) * size) + column, (o * outputSize * outputSize) + place, (((o * channels) + c) * 25) + tap);
                    }
                }
            }
        }
    }

    private double[] Pool(double[] x, int channels, int size)
    {
        var y = new double[channels * (size / 2) * (size / 2)];
        for (int i = 0; i < y.Length; i++)
            y[i] = _modern ? Window(i, size).Max(p => x[p]) : Window(i, size).Average(p => x[p]);
        return y;
    }

    private double[] PoolBack(double[] x, double[] y, double[] dy, int channels, int size)
    {
        var dx = new double[channels * size * size];
        for (int i = 0; i < y.Length; i++)
        {
            foreach (int p in _modern ? [Window(i, size).First(p => x[p] == y[i])] : Window(i, size))
                dx[p] += _modern ? dy[i] : dy[i] / 4;
        }

        return dx;
    }

    private static int[] Window(int output, int size)
    {
        int half = size / 2, corner = (((output / (half * half) * size) + (output / half % half * 2)) * size) + (output % half * 2);
        return [corner, corner + 1, corner + size, corner + size + 1];
    }

    private double[] Multiply(double[] x, int outputs, int at)
    {
        double[] y = _weights[(at + (outputs * x.Length))..(at + (outputs * x.Length) + outputs)];
        for (int i = 0; i < outputs * x.Length; i++)
            y[i / x.Length] += _weights[at + i] * x[i % x.Length];
        return y;
    }

    private double[] MultiplyBack(double[] x, double[] dy, int at)
    {
        var dx = new double[x.Length];
        for (int i = 0; i < dy.Length * x.Length; i++)
        {
            dx[i % x.Length] += _weights[at + i] * dy[i / x.Length];
            _gradient[at + i] += x[i % x.Length] * dy[i / x.Length];
        }

        for (int o = 0; o < dy.Length; o++)
            _gradient[at + (dy.Length * x.Length) + o] += dy[o];
        return dx;
    }
}
