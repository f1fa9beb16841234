using System.Runtime.Intrinsics;
using ConvNet.Core.Kernels.FullyConnected;
using ConvNet.Core.Kernels.Products;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.FullyConnected;

public sealed unsafe class FullyConnectedKernelsTests
{
    public static TheoryData<int> Widths => Tests.Widths.All;

    [Theory]
    [MemberData(nameof(Widths))]
    public void All_three_passes_give_the_bits_of_the_specification(int width)
    {
        for (int outputs = 1; outputs <= 25; outputs++)
        {
            foreach (int inputs in (int[])[1 + outputs, 41 - outputs, 16, 33])
                Check(width, inputs, outputs, blocks: 1 + ((inputs + outputs) % 3));
        }

        for (int inputs = 1; inputs <= 40; inputs++)
            Check(width, inputs, outputs: 7, blocks: 1 + (inputs % 5));
        Check(width, 256, 10, 2);
        Check(width, 257, 3, 2);
        Check(width, 600, 26, 1);
        Check(width, 19, 300, 3);
        Check(width, 5, 513, 2);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_gradient_that_is_written_around_the_caches_has_the_same_bits(int width) => Check(width, 1024, 1030, 1);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Weights_larger_than_the_caches_are_used_in_spans_and_panels_with_the_same_bits(int width) => Check(width, 3403, 330, 1);

    private static void Check(int width, int inputs, int outputs, int blocks)
    {
        using AlignedBuffer x = Numbers.Uniform(blocks * inputs * Stripes.Count, seed: 1), dy = Numbers.Uniform(blocks * outputs * Stripes.Count, seed: 2);
        using AlignedBuffer w = Numbers.Uniform(outputs * inputs, seed: 3), bias = Numbers.Uniform(outputs, seed: 4);
        using AlignedBuffer y = Numbers.Unwritten(dy.Length), dx = Numbers.Unwritten(x.Length), dw = Numbers.Unwritten(w.Length);
        using AlignedBuffer scratch = Numbers.Unwritten(FullyConnectedKernels.WeightGradientScratch(inputs, blocks));
        int samples = blocks == 1 ? 1 + (inputs % Stripes.Count) : blocks * Stripes.Count;
        bool rectify = inputs % 2 == 0;
        float* b = outputs % 3 == 0 ? null : bias.Pointer;

        switch (width)
        {
            case 16: Run<Vector512<float>, Ops512>(); break;
            case 8: Run<Vector256<float>, Ops256>(); break;
            default: Run<Vector128<float>, Ops128>(); break;
        }

        string what = $"{inputs} inputs, {outputs} outputs, {blocks} blocks, width {width}";
        Numbers.AssertSameBits(Forward(x.Span, w.Span, b == null ? [] : bias.Span, inputs, outputs, blocks, rectify), y.Span, $"y: {what}");
        Numbers.AssertSameBits(InputGradient(dy.Span, w.Span, inputs, outputs, blocks), dx.Span, $"dx: {what}");
        Numbers.AssertSameBits(WeightGradient(x.Span, dy.Span, inputs, outputs, samples), dw.Span, $"dw: {what}");

        void Run<TVector, TOps>()
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            FullyConnectedKernels.Forward<TVector, TOps>(x.Pointer, w.Pointer, b, y.Pointer, inputs, outputs, blocks, rectify);
            FullyConnectedKernels.InputGradient<TVector, TOps>(dy.Pointer, w.Pointer, dx.Pointer, inputs, outputs, blocks);
            FullyConnectedKernels.WeightGradient<TVector, TOps>(x.Pointer, dy.Pointer, dw.Pointer, inputs, outputs, samples, scratch.Pointer);
        }
    }

    private static float[] Forward(ReadOnlySpan<float> x, ReadOnlySpan<float> w, ReadOnlySpan<float> bias, int inputs, int outputs, int blocks, bool rectify)
    {
        var y = new float[blocks * outputs * Stripes.Count];
        for (int i = 0; i < y.Length; i++)
        {
            int lane = i % Stripes.Count, o = i / Stripes.Count % outputs, block = i / Stripes.Count / outputs;
            float total = 0;
            for (int cut = 0; cut < inputs; cut += SumBlocks.Terms)
            {
                float sum = 0;
                for (int t = cut; t < Math.Min(cut + SumBlocks.Terms, inputs); t++)
                    sum = MathF.FusedMultiplyAdd(w[(o * inputs) + t], x[(((block * inputs) + t) * Stripes.Count) + lane], sum);
                total = cut > 0 ? total + sum : sum;
            }

            if (!bias.IsEmpty)
                total += bias[o];
            y[i] = rectify && total <= 0 ? 0 : total;
        }

        return y;
    }

    private static float[] InputGradient(ReadOnlySpan<float> dy, ReadOnlySpan<float> w, int inputs, int outputs, int blocks)
    {
        var crosswise = new float[w.Length];
        for (int i = 0; i < w.Length; i++)
            crosswise[(i % inputs * outputs) + (i / inputs)] = w[i];
        return Forward(dy, crosswise, [], outputs, inputs, blocks, rectify: false);
    }

    private static float[] WeightGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, int inputs, int outputs, int samples)
    {
        var dw = new float[outputs * inputs];
        for (int i = 0; i < dw.Length; i++)
        {
            for (int sample = 0; sample < samples; sample++)
            {
                int block = sample / Stripes.Count, lane = sample % Stripes.Count;
                dw[i] = MathF.FusedMultiplyAdd(
                    dy[(((block * outputs) + (i / inputs)) * Stripes.Count) + lane], x[(((block * inputs) + (i % inputs)) * Stripes.Count) + lane], dw[i]);
            }
        }

        return dw;
    }
}
