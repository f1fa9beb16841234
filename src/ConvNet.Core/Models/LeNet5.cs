using ConvNet.Core.Initializers;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Models;

/// <summary>LeNet-5, for small grey images of characters: 61 706 parameters for 28×28×1 and 10 classes.</summary>
/// <remarks>
/// LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", §II.B.
/// Two convolutions with sub-sampling, then three fully connected layers. The modern form has ReLU and max pooling; the classic form has
/// tanh and average pooling. Both leave out what nobody kept: trainable pooling coefficients, the sparse table between S2 and C3, and the
/// radial-basis output. The paper's 32×32 images are our 28×28 with the first convolution's padding.
/// </remarks>
public static class LeNet5
{
    /// <summary>ReLU and max pooling: what people mean by LeNet today.</summary>
    public static Network Modern(Shape input, int classes) => Build(
        "lenet5", input, classes, () => new Relu(), () => new MaxPool2D(2), Initializer.HeUniform);

    /// <summary>tanh and average pooling, as in 1998.</summary>
    public static Network Classic(Shape input, int classes) => Build(
        "lenet5-classic", input, classes, () => new Tanh(), () => new AveragePool2D(2), Initializer.XavierUniform);

    private static Network Build(string name, Shape input, int classes, Func<Layer> activation, Func<Layer> pooling, Initializer initializer) =>
        new NetworkBuilder(name, input)
            .Add("conv1", new Conv2D(6, 5) { Padding = 2, Initializer = initializer })      // C1:   6 × 28×28
            .Add("act1", activation())
            .Add("pool1", pooling())                                                        // S2:   6 × 14×14
            .Add("conv2", new Conv2D(16, 5) { Initializer = initializer })                  // C3:  16 × 10×10
            .Add("act2", activation())
            .Add("pool2", pooling())                                                        // S4:  16 × 5×5
            .Add("flatten", new Flatten())
            .Add("fc1", new FullyConnected(120) { Initializer = initializer })              // C5: 120
            .Add("act3", activation())
            .Add("fc2", new FullyConnected(84) { Initializer = initializer })               // F6:  84
            .Add("act4", activation())
            .Add("fc3", new FullyConnected(classes) { Initializer = Initializer.LeCunUniform })
            .Build();
}
