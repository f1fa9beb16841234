using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Models;

/// <summary>Trains a residual network in double precision, every pass written out in plain loops: it shares the graph with the engine and no arithmetic.</summary>
/// <remarks>Convolutions are 3×3 without bias and with padding 1, as in He et al. 2016, §4.2. Images are <c>[N, C, H, W]</c>.</remarks>
internal sealed class DoubleResNet
{
    private readonly Network _network;
    private readonly double[] _weights, _gradient, _velocity;

    public DoubleResNet(Network network, ReadOnlySpan<float> weights)
    {
        _network = network;
        _weights = [.. weights[..network.ParameterCount].ToArray().Select(w => (double)w)];
        (_gradient, _velocity) = (new double[_weights.Length], new double[_weights.Length]);
    }

    /// <summary>One step of stochastic gradient descent; returns the mean loss before it.</summary>
    public double Step(double[] images, int[] labels, double rate, double momentum)
    {
        int samples = labels.Length, nodes = _network.Nodes.Count;
        var values = new double[nodes][];
        for (int i = 0; i < nodes; i++)
            values[i] = Forward(_network.Nodes[i], [.. _network.Nodes[i].Inputs.Select(from => from < 0 ? images : values[from])], samples);

        var gradients = new double[nodes][];
        for (int i = 0; i < nodes; i++)
            gradients[i] = new double[values[i].Length];
        double loss = Loss(values[^1], labels, gradients[^1]);
        Array.Clear(_gradient);
        for (int i = nodes - 1; i >= 0; i--)
        {
            Node node = _network.Nodes[i];
            Backward(node, [.. node.Inputs.Select(from => from < 0 ? images : values[from])], values[i], gradients[i],
                [.. node.Inputs.Select(from => from < 0 ? new double[images.Length] : gradients[from])], samples);
        }

        for (int i = 0; i < _weights.Length; i++)
        {
            _velocity[i] = (momentum * _velocity[i]) + (_gradient[i] / samples);
            _weights[i] -= rate * _velocity[i];
        }

        return loss / samples;
    }

    private static double Loss(double[] scores, int[] labels, double[] gradient)
    {
        int classes = scores.Length / labels.Length;
        double loss = 0;
        for (int n = 0; n < labels.Length; n++)
        {
            double[] z = scores[(n * classes)..((n + 1) * classes)];
            double most = z.Max(), sum = z.Sum(v => Math.Exp(v - most));
            loss += Math.Log(sum) + most - z[labels[n]];
            for (int c = 0; c < classes; c++)
                gradient[(n * classes) + c] = (Math.Exp(z[c] - most) / sum) - (c == labels[n] ? 1 : 0);
        }

        return loss;
    }

    private double[] Forward(Node node, double[][] x, int samples)
    {
        Shape from = node.InputShapes[0], to = node.Output;
        double[] y = new double[samples * to.Elements], a = x[0];
        int w = node.FirstParameter;
        switch (node.Layer)
        {
            case Conv2D conv:
                Taps(conv.Stride.Height, from, to, samples, (source, target, tap) => y[target] += a[source] * _weights[w + tap]);
                return y;
            case BatchNorm2D norm:
                foreach (int[] places in Channels(from, samples))
                {
                    (double mean, double deviation) = Statistics(a, places, norm.Epsilon);
                    int c = places[0] / from.Pixels;
                    foreach (int p in places)
                        y[p] = ((a[p] - mean) / deviation * _weights[w + c]) + _weights[w + from.Channels + c];
                }

                return y;
            case Relu:
                return [.. a.Select(v => Math.Max(0, v))];
            case Add:
                return [.. a.Zip(x[1], (p, q) => p + q)];
            case IdentityShortcut shortcut:
                Shortcut(shortcut, from, to, samples, (source, target) => y[target] = a[source]);
                return y;
            case GlobalAveragePool2D:
                return [.. a.Chunk(from.Pixels).Select(plane => plane.Average())];
            case FullyConnected:
                for (int n = 0; n < samples; n++)
                    for (int o = 0; o < to.Elements; o++)
                        y[(n * to.Elements) + o] = _weights[w + (to.Elements * from.Elements) + o]
                            + Enumerable.Range(0, from.Elements).Sum(i => a[(n * from.Elements) + i] * _weights[w + (o * from.Elements) + i]);
                return y;
            default:
                throw new NotSupportedException($"{node.Layer}");
        }
    }

    private void Backward(Node node, double[][] x, double[] y, double[] dy, double[][] dx, int samples)
    {
        Shape from = node.InputShapes[0], to = node.Output;
        double[] a = x[0], da = dx[0];
        int w = node.FirstParameter;
        switch (node.Layer)
        {
            case Conv2D conv:
                Taps(conv.Stride.Height, from, to, samples, (source, target, tap) =>
                {
                    _gradient[w + tap] += a[source] * dy[target];
                    da[source] += _weights[w + tap] * dy[target];
                });
                break;
            case BatchNorm2D norm:
                foreach (int[] places in Channels(from, samples))
                {
                    (double mean, double deviation) = Statistics(a, places, norm.Epsilon);
                    int c = places[0] / from.Pixels;
                    double beta = places.Sum(p => dy[p]), gamma = places.Sum(p => dy[p] * (a[p] - mean) / deviation);
                    _gradient[w + c] = gamma;
                    _gradient[w + from.Channels + c] = beta;
                    foreach (int p in places)
                        da[p] += _weights[w + c] / deviation * (dy[p] - (beta / places.Length) - ((a[p] - mean) / deviation * gamma / places.Length));
                }

                break;
            case Relu:
                for (int i = 0; i < y.Length; i++)
                    da[i] += y[i] > 0 ? dy[i] : 0;
                break;
            case Add:
                for (int i = 0; i < y.Length; i++)
                {
                    da[i] += dy[i];
                    dx[1][i] += dy[i];
                }

                break;
            case IdentityShortcut shortcut:
                Shortcut(shortcut, from, to, samples, (source, target) => da[source] += dy[target]);
                break;
            case GlobalAveragePool2D:
                for (int i = 0; i < a.Length; i++)
                    da[i] += dy[i / from.Pixels] / from.Pixels;
                break;
            case FullyConnected:
                for (int n = 0; n < samples; n++)
                {
                    for (int o = 0; o < to.Elements; o++)
                    {
                        double d = dy[(n * to.Elements) + o];
                        _gradient[w + (to.Elements * from.Elements) + o] += d;
                        for (int i = 0; i < from.Elements; i++)
                        {
                            _gradient[w + (o * from.Elements) + i] += d * a[(n * from.Elements) + i];
                            da[(n * from.Elements) + i] += d * _weights[w + (o * from.Elements) + i];
                        }
                    }
                }

                break;
        }
    }

    /// <summary>Every product of a 3×3 convolution: where it reads, where it adds, and by which weight.</summary>
    private static void Taps(int stride, Shape from, Shape to, int samples, Action<int, int, int> product)
    {
        for (int n = 0; n < samples; n++)
            for (int oc = 0; oc < to.Channels; oc++)
                for (int oh = 0; oh < to.Height; oh++)
                    for (int ow = 0; ow < to.Width; ow++)
                        for (int c = 0; c < from.Channels; c++)
                            for (int kh = 0; kh < 3; kh++)
                                for (int kw = 0; kw < 3; kw++)
                                {
                                    int h = (oh * stride) + kh - 1, v = (ow * stride) + kw - 1;
                                    if (h >= 0 && h < from.Height && v >= 0 && v < from.Width)
                                        product((((((n * from.Channels) + c) * from.Height) + h) * from.Width) + v, (((((n * to.Channels) + oc) * to.Height) + oh) * to.Width) + ow, (((((oc * from.Channels) + c) * 3) + kh) * 3) + kw);
                                }
    }

    private static void Shortcut(IdentityShortcut shortcut, Shape from, Shape to, int samples, Action<int, int> copy)
    {
        for (int n = 0; n < samples; n++)
            for (int c = 0; c < from.Channels; c++)
                for (int h = 0; h < to.Height; h++)
                    for (int v = 0; v < to.Width; v++)
                        copy((((((n * from.Channels) + c) * from.Height) + (h * shortcut.Stride.Height)) * from.Width) + (v * shortcut.Stride.Width), (((((n * to.Channels) + c) * to.Height) + h) * to.Width) + v);
    }

    private static IEnumerable<int[]> Channels(Shape shape, int samples) => Enumerable.Range(0, shape.Channels).Select(c =>
        Enumerable.Range(0, samples * shape.Pixels).Select(i => (((i / shape.Pixels * shape.Channels) + c) * shape.Pixels) + (i % shape.Pixels)).ToArray());

    private static (double Mean, double Deviation) Statistics(double[] values, int[] places, double epsilon)
    {
        double mean = places.Average(p => values[p]);
        return (mean, Math.Sqrt(places.Average(p => (values[p] - mean) * (values[p] - mean)) + epsilon));
    }
}
