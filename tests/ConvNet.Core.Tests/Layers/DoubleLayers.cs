using ConvNet.Core.Layers;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Layers;

/// <summary>Every layer's forward pass once more: plain loops in double precision over <c>[N, C, H, W]</c>. What the engine is measured against.</summary>
internal static class DoubleLayers
{
    public static double[] Forward(Layer layer, Shape[] shapes, double[][] inputs, double[] parameters, int samples, int number = 0)
    {
        Shape y = layer.OutputShape("test", shapes);
        return layer switch
        {
            Conv2D conv => Convolve(conv, shapes[0], y, inputs[0], parameters, samples),
            TransposedConv2D conv => Transpose(conv, shapes[0], y, inputs[0], parameters, samples),
            FullyConnected full => Connect(full, shapes[0].Elements, inputs[0], parameters, samples),
            MaxPool2D pool => Pool(pool.Padding.Windows(shapes[0], pool.Kernel, pool.Stride, 1, pool.CeilMode), shapes[0], y, inputs[0], samples, (values, _) => values.Max()),
            AveragePool2D pool => Pool(pool.Padding.Windows(shapes[0], pool.Kernel, pool.Stride, 1, pool.CeilMode), shapes[0], y, inputs[0], samples,
                (values, all) => values.Sum() / (pool.CountPadding ? all : values.Count)),
            Relu => [.. inputs[0].Select(x => Math.Max(0, x))],
            Tanh => [.. inputs[0].Select(Math.Tanh)],
            Sigmoid => [.. inputs[0].Select(x => 1 / (1 + Math.Exp(-x)))],
            Flatten => inputs[0],
            BatchNorm2D norm => Normalise(norm, shapes[0], inputs[0], parameters, samples),
            GlobalAveragePool2D => [.. inputs[0].Chunk(shapes[0].Pixels).Select(plane => plane.Average())],
            LocalResponseNormalisation norm => Respond(norm, shapes[0], inputs[0]),
            LeakyRelu leaky => [.. inputs[0].Select(x => x > 0 ? x : leaky.Slope * x)],
            Elu elu => [.. inputs[0].Select(x => x > 0 ? x : elu.Alpha * (Math.Exp(x) - 1))],
            Gelu => [.. inputs[0].Select(x => x * NormalDistribution.Probability(x))],
            Concat => [.. Enumerable.Range(0, samples).SelectMany(n => inputs.SelectMany((x, i) => x.Skip(n * shapes[i].Elements).Take(shapes[i].Elements)))],
            IdentityShortcut shortcut => Shorten(shortcut, shapes[0], y, inputs[0], samples),
            Dropout dropout => Drop(dropout, shapes[0].Elements, inputs[0], number),
            Softmax => Probabilities(shapes[0], inputs[0], samples),
            Add => [.. Enumerable.Range(0, inputs[0].Length).Select(i => inputs.Sum(x => x[i]))],
            _ => throw new ArgumentException($"no reference for {layer}"),
        };
    }

    private static double[] Respond(LocalResponseNormalisation norm, Shape x, double[] input)
    {
        return [.. input.Select((v, i) =>
        {
            int channel = i / x.Pixels % x.Channels;
            double sum = 0;
            for (int c = Math.Max(0, channel - (norm.Size / 2)); c <= Math.Min(x.Channels - 1, channel + ((norm.Size - 1) / 2)); c++)
                sum += Math.Pow(input[i + ((c - channel) * x.Pixels)], 2);
            return v / Math.Pow(norm.K + (norm.Alpha / norm.Size * sum), norm.Beta);
        })];
    }

    private static double[] Shorten(IdentityShortcut shortcut, Shape x, Shape y, double[] input, int samples) =>
        [.. from n in Enumerable.Range(0, samples)
            from c in Enumerable.Range(0, y.Channels)
            from h in Enumerable.Range(0, y.Height)
            from w in Enumerable.Range(0, y.Width)
            select c >= x.Channels ? 0 : input[(((((n * x.Channels) + c) * x.Height) + (h * shortcut.Stride.Height)) * x.Width) + (w * shortcut.Stride.Width)]];

    private static double[] Normalise(BatchNorm2D norm, Shape x, double[] input, double[] parameters, int samples)
    {
        var output = new double[input.Length];
        for (int c = 0; c < x.Channels; c++)
        {
            int[] places = [.. Enumerable.Range(0, samples * x.Pixels).Select(i => (((i / x.Pixels * x.Channels) + c) * x.Pixels) + (i % x.Pixels))];
            double mean = places.Average(p => input[p]), variance = places.Average(p => (input[p] - mean) * (input[p] - mean));
            foreach (int p in places)
                output[p] = ((input[p] - mean) / Math.Sqrt(variance + norm.Epsilon) * parameters[c]) + parameters[x.Channels + c];
        }

        return output;
    }

    /// <summary>Dropout of seed 0 and step 0: the draw of (layer, sample, element / 4) decides by its word element mod 4.</summary>
    private static double[] Drop(Dropout dropout, int features, double[] input, int number)
    {
        var random = new Philox(0, Purpose.Dropout, number);
        return [.. input.Select((v, i) =>
        {
            (int sample, int element) = (i / features, i % features);
            (uint a, uint b, uint c, uint d) = random.Block(0, ((ulong)sample << 32) + (ulong)(element / 4));
            uint word = (element % 4) switch { 0 => a, 1 => b, 2 => c, _ => d };
            return word / 4294967296.0 < dropout.Probability ? 0 : v / (1 - (double)dropout.Probability);
        })];
    }

    private static double[] Convolve(Conv2D conv, Shape x, Shape y, double[] input, double[] parameters, int samples)
    {
        (Window rows, Window columns) = conv.Padding.Windows(x, conv.Kernel, conv.Stride, conv.Dilation);
        int groupInputs = x.Channels / conv.Groups, groupOutputs = conv.OutChannels / conv.Groups, taps = conv.Kernel.Height * conv.Kernel.Width;
        int weights = conv.OutChannels * groupInputs * taps;
        var output = new double[samples * y.Elements];
        int at = 0;
        for (int n = 0; n < samples; n++)
            for (int oc = 0; oc < y.Channels; oc++)
                for (int oh = 0; oh < y.Height; oh++)
                    for (int ow = 0; ow < y.Width; ow++)
                    {
                        double sum = conv.Bias ? parameters[weights + oc] : 0;
                        for (int c = 0; c < groupInputs; c++)
                            for (int kh = 0; kh < conv.Kernel.Height; kh++)
                                for (int kw = 0; kw < conv.Kernel.Width; kw++)
                                {
                                    int h = rows.Source(oh, kh), w = columns.Source(ow, kw), channel = (oc / groupOutputs * groupInputs) + c;
                                    if (h >= 0 && h < x.Height && w >= 0 && w < x.Width)
                                        sum += input[(((((n * x.Channels) + channel) * x.Height) + h) * x.Width) + w] * parameters[(((oc * groupInputs) + c) * taps) + (kh * conv.Kernel.Width) + kw];
                                }

                        output[at++] = sum;
                    }

        return output;
    }

    /// <summary>Every pixel of x adds its image of the window to a canvas; then the padding is cut off. Padding "same" is half of what is beyond H·stride, less above.</summary>
    private static double[] Transpose(TransposedConv2D conv, Shape x, Shape y, double[] input, double[] parameters, int samples)
    {
        int kernelHeight = conv.Kernel.Height, kernelWidth = conv.Kernel.Width, groupInputs = x.Channels / conv.Groups, groupOutputs = conv.OutChannels / conv.Groups;
        int beyondHeight = Math.Max(0, ((x.Height - 1) * conv.Stride.Height) + (conv.Dilation.Height * (kernelHeight - 1)) + 1 - y.Height);
        int beyondWidth = Math.Max(0, ((x.Width - 1) * conv.Stride.Width) + (conv.Dilation.Width * (kernelWidth - 1)) + 1 - y.Width);
        (int top, int left) = conv.Padding.IsSame ? (beyondHeight / 2, beyondWidth / 2) : (conv.Padding.Top, conv.Padding.Left);
        int weights = x.Channels * groupOutputs * kernelHeight * kernelWidth;
        double[] output = [.. Enumerable.Range(0, samples * y.Elements).Select(i => conv.Bias ? parameters[weights + (i / y.Pixels % y.Channels)] : 0)];
        for (int i = 0; i < samples * x.Elements; i++)
        {
            (int n, int channel, int h, int w) = (i / x.Elements, i / x.Pixels % x.Channels, i / x.Width % x.Height, i % x.Width);
            for (int tap = 0; tap < groupOutputs * kernelHeight * kernelWidth; tap++)
            {
                (int o, int kh, int kw) = (tap / (kernelHeight * kernelWidth), tap / kernelWidth % kernelHeight, tap % kernelWidth);
                int oc = (channel / groupInputs * groupOutputs) + o;
                int oh = (h * conv.Stride.Height) + (kh * conv.Dilation.Height) - top, ow = (w * conv.Stride.Width) + (kw * conv.Dilation.Width) - left;
                if (oh >= 0 && oh < y.Height && ow >= 0 && ow < y.Width)
                    output[(((((n * y.Channels) + oc) * y.Height) + oh) * y.Width) + ow] += input[i] * parameters[(channel * groupOutputs * kernelHeight * kernelWidth) + tap];
            }
        }

        return output;
    }

    private static double[] Probabilities(Shape x, double[] input, int samples)
    {
        var output = new double[input.Length];
        for (int i = 0; i < samples * x.Pixels; i++)
        {
            int[] channels = [.. Enumerable.Range(0, x.Channels).Select(c => (((i / x.Pixels * x.Channels) + c) * x.Pixels) + (i % x.Pixels))];
            double most = channels.Max(c => input[c]), sum = channels.Sum(c => Math.Exp(input[c] - most));
            foreach (int c in channels)
                output[c] = Math.Exp(input[c] - most) / sum;
        }

        return output;
    }

    private static double[] Connect(FullyConnected full, int features, double[] input, double[] parameters, int samples)
    {
        var output = new double[samples * full.Outputs];
        for (int n = 0; n < samples; n++)
            for (int o = 0; o < full.Outputs; o++)
            {
                double sum = full.Bias ? parameters[(full.Outputs * features) + o] : 0;
                for (int i = 0; i < features; i++)
                    sum += input[(n * features) + i] * parameters[(o * features) + i];
                output[(n * full.Outputs) + o] = sum;
            }

        return output;
    }

    private static double[] Pool(
        (Window Rows, Window Columns) windows, Shape x, Shape y, double[] input, int samples, Func<List<double>, int, double> reduce)
    {
        (Window rows, Window columns) = windows;
        var output = new double[samples * y.Elements];
        int at = 0;
        for (int plane = 0; plane < samples * x.Channels; plane++)
            for (int oh = 0; oh < y.Height; oh++)
                for (int ow = 0; ow < y.Width; ow++)
                {
                    var values = new List<double>();
                    int all = 0;
                    for (int kh = 0; kh < rows.Kernel; kh++)
                        for (int kw = 0; kw < columns.Kernel; kw++)
                        {
                            int h = rows.Source(oh, kh), w = columns.Source(ow, kw);
                            all += h < x.Height + rows.After && w < x.Width + columns.After ? 1 : 0;
                            if (h >= 0 && h < x.Height && w >= 0 && w < x.Width)
                                values.Add(input[(((plane * x.Height) + h) * x.Width) + w]);
                        }

                    output[at++] = reduce(values, all);
                }

        return output;
    }
}
