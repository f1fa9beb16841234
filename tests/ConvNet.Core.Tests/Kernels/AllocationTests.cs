using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Kernels.FullyConnected;
using ConvNet.Core.Kernels.Losses;
using ConvNet.Core.Kernels.Pooling;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Kernels.Winograd;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Kernels;

public sealed unsafe class AllocationTests
{
    [Fact]
    public void Kernels_allocate_nothing_once_planned()
    {
        var g = new ConvolutionGeometry(new Shape(6, 14, 14), 16, new Window(5), new Window(5), 1);
        Correlation forward = Correlation.Forward(g), backward = Correlation.InputGradient(g);
        var weights = new WeightGradient(g);
        var rows = new Window(2, Stride: 2);
        using AlignedBuffer a = Numbers.Uniform(100_000, seed: 1), b = Numbers.Uniform(100_000, seed: 2), c = new(400_000), d = new(400_000);
        using AlignedBuffer scratch = new(Gemm.ScratchLength);
        var pooling = new PoolingArguments(a.Pointer, b.Pointer, b.Pointer, c.Pointer, 6, 14, 14, rows, rows);
        var elementwise = new ElementwiseArguments(a.Pointer, b.Pointer, c.Pointer, 1024);
        int[] labels = new int[16];

        AllocatesNothing("gemm", () => Gemm.Multiply(
            50, 60, 70, new Matrix(a.Pointer, 70, 1), new Matrix(b.Pointer, 60, 1), new Matrix(c.Pointer, 60, 1), accumulate: false, scratch.Pointer));
        AllocatesNothing("packing", () => forward.Pack(a.Pointer, d.Pointer));
        AllocatesNothing("forward", () => forward.Run(d.Pointer, a.Pointer, b.Pointer, c.Pointer, rectify: true));
        AllocatesNothing("gradient by input", () => backward.Run(d.Pointer, a.Pointer, null, c.Pointer, rectify: false));
        AllocatesNothing("gradient by weight", () => weights.Run(a.Pointer, b.Pointer, c.Pointer, 1, scratch.Pointer));
        AllocatesNothing("fully connected", () =>
        {
            FullyConnectedKernels.Forward(a.Pointer, b.Pointer, null, c.Pointer, 100, 50, 1, rectify: false);
            FullyConnectedKernels.InputGradient(a.Pointer, b.Pointer, c.Pointer, 100, 50, 1);
            FullyConnectedKernels.WeightGradient(a.Pointer, b.Pointer, c.Pointer, 100, 50, 16, scratch.Pointer);
        });
        AllocatesNothing("pooling", () =>
        {
            Widest.Run<MaxPoolingForward, PoolingArguments>(in pooling);
            Widest.Run<MaxPoolingBackward, PoolingArguments>(in pooling);
            Widest.Run<AveragePoolingForward, PoolingArguments>(in pooling);
            Widest.Run<AveragePoolingBackward, PoolingArguments>(in pooling);
        });
        AllocatesNothing("activations", () =>
        {
            Widest.Run<TanhForward, ElementwiseArguments>(in elementwise);
            Widest.Run<SigmoidBackward, ElementwiseArguments>(in elementwise);
            Widest.Run<ChannelSums, ChannelSumArguments>(new ChannelSumArguments(a.Pointer, c.Pointer, 6, 49, 1));
        });
        var wide = new ConvolutionGeometry(new Shape(16, 14, 14), 16, new Window(3, Before: 1, After: 1), new Window(3, Before: 1, After: 1), 1);
        ChannelCorrelation overChannels = ChannelCorrelation.Forward(wide);
        var overChannelsByWeight = new ChannelWeightGradient(wide, pixels: false);
        var winograd = new WinogradConvolution(wide, 2);
        using AlignedBuffer large = new(winograd.ScratchLength);
        AllocatesNothing("over channels", () =>
        {
            overChannels.Pack(a.Pointer, d.Pointer);
            overChannels.Run(2, d.Pointer, a.Pointer, b.Pointer, c.Pointer, rectify: true);
            overChannelsByWeight.Run(2, a.Pointer, b.Pointer, c.Pointer, d.Pointer);
        });
        AllocatesNothing("Winograd's method", () =>
        {
            winograd.Forward(2, a.Pointer, b.Pointer, a.Pointer, c.Pointer, rectify: true, large.Pointer);
            winograd.InputGradient(2, a.Pointer, b.Pointer, c.Pointer, large.Pointer);
            winograd.WeightGradient(2, a.Pointer, b.Pointer, c.Pointer, large.Pointer);
        });
        AllocatesNothing("softmax", () => SoftmaxCrossEntropy.Run(a.Pointer, labels, 10, 1, c.Pointer, d.Pointer));
    }

    private static void AllocatesNothing(string what, Action kernel)
    {
        kernel();
        // A collection that other tests' threads bring about counts what it takes of this thread's allocation buffer; what a kernel allocates it allocates each time.
        long least = Enumerable.Range(0, 5).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10; i++)
                kernel();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });

        Assert.True(least == 0, $"{what} allocated {least} bytes in ten calls.");
    }
}
