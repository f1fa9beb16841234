using ConvNet.Core.Kernels.Elementwise;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Losses;

/// <summary>Softmax of 16 samples at once: p = e^(z − max z) / Σ e^(z − max z), classes ascending in every sum.</summary>
internal readonly unsafe struct SoftmaxArguments(
    float* logits, float* probabilities, float* logSums, int classes, int blocks, int pixels = 1)
{
    /// <summary>z <c>[block][classes][pixels][16]</c>.</summary>
    public readonly float* Logits = logits;

    /// <summary>p, same shape, overwritten; may be <see cref="Logits"/>.</summary>
    public readonly float* Probabilities = probabilities;

    /// <summary>ln Σ e^(z − max z) + max z of each sample, <c>[block][pixels][16]</c>, overwritten; null where nobody needs it.</summary>
    public readonly float* LogSums = logSums;

    /// <summary>Classes.</summary>
    public readonly int Classes = classes;

    /// <summary>Blocks of 16 samples.</summary>
    public readonly int Blocks = blocks;

    /// <summary>Pixels, each with a softmax of its own; 1 for scores.</summary>
    public readonly int Pixels = pixels;
}

/// <inheritdoc cref="SoftmaxArguments"/>
internal readonly struct SoftmaxForward : IKernel<SoftmaxArguments>
{
    public static unsafe void Run<TVector, TOps>(in SoftmaxArguments a)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        nint line = (nint)a.Pixels * Stripes.Count;
        for (int block = 0; block < a.Blocks; block++)
        {
            for (nint lane = 0; lane < line; lane += TOps.Count)
            {
                nint start = (block * a.Classes * line) + lane;
                float* z = a.Logits + start, p = a.Probabilities + start;
                TVector most = TOps.Load(z);
                for (int c = 1; c < a.Classes; c++)
                    most = TOps.Greater(TOps.Load(z + (c * line)), most);
                TVector sum = default;
                for (int c = 0; c < a.Classes; c++)
                {
                    TVector difference = TOps.Subtract(TOps.Load(z + (c * line)), most);
                    TVector e = Elementary<TVector, TOps>.Exp(difference);
                    sum = TOps.Add(sum, e);
                    TOps.Store(e, p + (c * line));
                }

                for (int c = 0; c < a.Classes; c++)
                    TOps.Store(TOps.Divide(TOps.Load(p + (c * line)), sum), p + (c * line));
                if (a.LogSums == null)
                    continue;
                // Log works on bits and so would hide a NaN or an infinity; 0·sum does not.
                TVector log = TOps.Add(Elementary<TVector, TOps>.Log(sum), TOps.Multiply(TOps.Subtract(sum, sum), sum));
                TOps.Store(TOps.Add(log, most), a.LogSums + (block * line) + lane);
            }
        }
    }
}

/// <summary>Softmax with cross-entropy: loss = ln Σ e^z − z[label]; dz = p − 1[label]. Sums over samples, never means.</summary>
/// <remarks>
/// With smoothing s over K classes the label's weight is 1 − s + s/K and that of every other class s/K:
/// <code>
/// loss = ln Σ e^z − (1 − s)·z[label] − s/K·Σ z          classes ascending in Σ z
/// dz   = p − s/K − (1 − s)[label]
/// </code>
/// Szegedy et al. 2016, "Rethinking the Inception architecture", §7; numbers as PyTorch has them.
/// </remarks>
internal static unsafe class SoftmaxCrossEntropy
{
    /// <summary>What a micro-batch of samples gives.</summary>
    /// <param name="LossSum">Σ of the samples' losses: striped over the lanes, blocks ascending, then folded.</param>
    /// <param name="Top1">Samples whose label had the greatest logit; of equal ones the class with the lower number is greater, and NaN is the least.</param>
    /// <param name="Top5">Samples whose label was among the five greatest.</param>
    /// <param name="Samples">Samples.</param>
    public readonly record struct Result(float LossSum, int Top1, int Top5, int Samples);

    /// <summary>Loss and metrics, and the gradient where asked for.</summary>
    /// <param name="logits"><c>[block][classes][16]</c>.</param>
    /// <param name="labels">One for each lane of each block; −1 where the lane holds no sample.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="blocks">Blocks.</param>
    /// <param name="gradient">dz, same shape as the logits, overwritten: 0 in lanes without a sample. Not the logits themselves.</param>
    /// <param name="logSums">Scratch, <c>[block][16]</c>.</param>
    /// <param name="smoothing">s, in [0, 1).</param>
    public static Result Run(float* logits, ReadOnlySpan<int> labels, int classes, int blocks, float* gradient, float* logSums, float smoothing = 0)
    {
        Widest.Run<SoftmaxForward, SoftmaxArguments>(new SoftmaxArguments(logits, gradient, logSums, classes, blocks));
        return Finish(logits, labels, classes, blocks, gradient, logSums, smoothing);
    }

    /// <summary>What is left once <see cref="SoftmaxForward"/> has run: losses, ranks, and p − 1 at the label.</summary>
    internal static Result Finish(float* logits, ReadOnlySpan<int> labels, int classes, int blocks, float* gradient, float* logSums, float smoothing = 0)
    {
        float spread = smoothing / classes, kept = 1 - smoothing;
        float* stripes = stackalloc float[Stripes.Count];
        new Span<float>(stripes, Stripes.Count).Clear();
        int top1 = 0, top5 = 0, samples = 0;
        for (int block = 0; block < blocks; block++)
        {
            for (int lane = 0; lane < Stripes.Count; lane++)
            {
                int label = labels[(block * Stripes.Count) + lane];
                nint start = ((nint)block * classes * Stripes.Count) + lane;
                if (label < 0)
                {
                    for (int c = 0; c < classes; c++)
                        gradient[start + (c * Stripes.Count)] = 0;
                    continue;
                }

                float z = logits[start + (label * Stripes.Count)];
                float target = z;
                if (smoothing > 0)
                {
                    float sum = 0;
                    for (int c = 0; c < classes; c++)
                    {
                        sum += logits[start + (c * Stripes.Count)];
                        gradient[start + (c * Stripes.Count)] -= spread;
                    }

                    target = MathF.FusedMultiplyAdd(kept, z, spread * sum);
                }

                stripes[lane] += logSums[(block * Stripes.Count) + lane] - target;
                gradient[start + (label * Stripes.Count)] -= kept;
                int rank = 0;
                for (int c = 0; c < classes; c++)
                {
                    float other = logits[start + (c * Stripes.Count)];
                    rank += z > other || (z == other && label <= c) ? 0 : 1;   // a NaN beats nothing
                }

                top1 += rank == 0 ? 1 : 0;
                top5 += rank < 5 ? 1 : 0;
                samples++;
            }
        }

        return new Result(Stripes.Fold(stripes), top1, top5, samples);
    }
}
