using ConvNet.Core.Tensors;

namespace ConvNet.Core.Networks;

/// <summary>How large a network may be that came in words, from a file or from somebody else: a few lines cannot ask for the whole memory of a machine.</summary>
public static class NetworkLimits
{
    /// <summary>Layers at most.</summary>
    public const int Layers = 2048;

    /// <summary>Parameters at most: 1 GiB of them.</summary>
    public const int Parameters = 1 << 28;

    /// <summary>Values of one layer's output for one sample at most: 128 MiB of them.</summary>
    public const int OutputValues = 1 << 25;

    /// <summary>Checks a layer in its place.</summary>
    /// <exception cref="ShapeException">It or what came up to it is too large.</exception>
    internal static void Check(Node node)
    {
        if (node.Output.Elements > OutputValues)
            throw new ShapeException($"{node.Name}: its output of {node.Output} has {node.Output.Elements} values a sample; at most {OutputValues} are allowed.");
        if (node.ParameterCount > Parameters - node.FirstParameter)
            throw new ShapeException($"{node.Name}: with its {node.ParameterCount} parameters the network has more than {Parameters}, which are the most that are allowed.");
    }
}
