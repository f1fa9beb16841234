using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Networks;

/// <summary>Where the network's input is laid out as pixels: its shape with the padding of the convolution that reads it.</summary>
internal sealed record PixelInput(Shape Padded, int Top, int Left);

/// <summary>The layers' passes in one of two layouts, and how each layer's output lies in memory.</summary>
/// <remarks>
/// Over sample lanes any network works, and few channels cost nothing; but a micro-batch of 2 wastes seven lanes of eight. Over channel lanes it is the other way round.
/// Then the network's body works over channels, up to the layers that make features of images, and its head over samples, as does what follows a layer without passes over channels. The choice depends on the
/// network and the size of the micro-batch alone, so it is the same on every machine.
/// </remarks>
internal sealed class LayoutChoice
{
    private LayoutChoice(Operation[] operations, Extent[] outputs, PixelInput? pixels) => (Operations, Outputs, Pixels) = (operations, outputs, pixels);

    /// <summary>The layers' passes.</summary>
    public Operation[] Operations { get; }

    /// <summary>The layers' outputs.</summary>
    public Extent[] Outputs { get; }

    /// <summary>The input as pixels; null where layers read it over sample lanes.</summary>
    public PixelInput? Pixels { get; }

    /// <summary>Whether channel lanes are better for micro-batches of this size: where convolutions waste less on lanes that hold nothing, and save multiplications.</summary>
    public static bool PrefersChannels(Network network, int microBatch)
    {
        // What a convolution by Winograd's method takes of the direct one's time.
        const double Saved = 0.45;
        double overSamples = 0, overChannels = 0, waste = (double)Extent.Groups(microBatch) * Stripes.Count / microBatch;
        foreach (Node node in network.Nodes)
        {
            if (node.Layer is not Conv2D convolution)
                continue;
            double work = convolution.MultiplyAdds(node.InputShapes);
            overSamples += work * waste;
            bool first = node.Inputs.Contains(Network.InputNode);
            overChannels += work * Filled(node.Output.Channels) * (first ? 1 : Filled(node.InputShapes[0].Channels)) * (!first && convolution.SavesMultiplications(node.InputShapes[0]) ? Saved : 1);
        }

        return overChannels < overSamples;
    }

    /// <summary>Lanes for each channel.</summary>
    private static double Filled(int channels) => (double)Extent.Groups(channels) * Stripes.Count / channels;

    /// <summary>Chooses.</summary>
    /// <param name="network">The network.</param>
    /// <param name="microBatch">Samples of a micro-batch at most.</param>
    /// <param name="overChannels">Whether to take channel lanes if every layer has passes over them.</param>
    public static LayoutChoice Of(Network network, int microBatch, bool overChannels) =>
        (overChannels ? OverChannels(network, microBatch) : null) ?? OverSamples(network);

    private static LayoutChoice OverSamples(Network network) => new(
        [.. network.Nodes.Select(n => n.Layer.Plan(n.InputShapes))], [.. network.Nodes.Select(n => new Extent(n.Output, Layout.Samples))], null);

    private static LayoutChoice? OverChannels(Network network, int samples)
    {
        Node[] first = [.. network.Nodes.Where(n => n.Inputs.Contains(Network.InputNode))];
        if (first is not [{ Layer: Conv2D convolution, Inputs.Count: 1 }])
            return null;
        (Shape padded, int top, int left) = convolution.PaddingAround(network.Input);
        var operations = new Operation[network.Nodes.Count];
        var outputs = new Extent[network.Nodes.Count];
        for (int i = 0; i < operations.Length; i++)
        {
            Node node = network.Nodes[i];
            bool ofPixels = node == first[0];
            Extent[] inputs = [.. node.Inputs.Select(n => n == Network.InputNode ? new Extent(padded, Layout.Pixels) : outputs[n])];
            bool entered = inputs.Any(x => x.Layout == Layout.Samples);
            if (!entered && node.Layer.PlanOverChannels(new ChannelPlan(ofPixels ? [padded] : node.InputShapes, samples, ofPixels)) is { } operation)
            {
                operations[i] = operation;
                outputs[i] = new Extent(node.Output, node.Layer.LeavesChannels ? Layout.Samples : Layout.Channels);
            }
            else if (ofPixels)
            {
                return null;
            }
            else
            {
                Operation over = node.Layer.Plan(node.InputShapes);
                operations[i] = inputs.Any(x => x.Layout == Layout.Channels) ? new EnteringSamples(over, inputs, samples) : over;
                outputs[i] = new Extent(node.Output, Layout.Samples);
            }
        }

        // The loss reads sample lanes.
        return network.Auxiliaries.Select(a => a.Node).Append(operations.Length - 1).All(n => outputs[n].Layout == Layout.Samples)
            ? new LayoutChoice(operations, outputs, new PixelInput(padded, top, left))
            : null;
    }
}
