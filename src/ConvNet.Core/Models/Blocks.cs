using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>What several of the zoo's networks have in common.</summary>
internal static class Blocks
{
    /// <summary>Below this many pixels of height or width an image is a small one: networks made for 224×224 then begin with a finer stem.</summary>
    public const int SmallImage = 64;

    /// <summary>Whether a network made for 224×224 takes its form for small images.</summary>
    public static bool IsSmall(Shape input) => Math.Min(input.Height, input.Width) < SmallImage;

    /// <summary>Refuses images that are too small for an architecture.</summary>
    /// <exception cref="ShapeException">They are.</exception>
    public static void RequireAtLeast(int pixels, string name, Shape input)
    {
        if (Math.Min(input.Height, input.Width) < pixels)
            throw new ShapeException($"{name} works from {pixels}×{pixels} pixels on, got images of {input.Height}×{input.Width}.");
    }

    /// <summary>A convolution and a ReLU, named <c>conv…</c> and <c>relu…</c>.</summary>
    public static NetworkBuilder AddRectified(this NetworkBuilder network, string number, Conv2D convolution, params string[] inputs) =>
        network.Add($"conv{number}", convolution, inputs).Add($"relu{number}", new Relu());

    /// <summary>The head of AlexNet, ZFNet and VGG: two fully connected layers of 4096 with dropout, then the classes' scores.</summary>
    public static NetworkBuilder AddClassifier(this NetworkBuilder network, int first, int classes) => network
        .Add($"fc{first}", new FullyConnected(4096) { Initializer = Initializer.NarrowUniform }).Add($"relu{first}", new Relu()).Add($"drop{first}", new Dropout(0.5f))
        .Add($"fc{first + 1}", new FullyConnected(4096) { Initializer = Initializer.NarrowUniform }).Add($"relu{first + 1}", new Relu()).Add($"drop{first + 1}", new Dropout(0.5f))
        .Add($"fc{first + 2}", new FullyConnected(classes) { Initializer = Initializer.NarrowUniform });
}
