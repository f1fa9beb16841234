using ConvNet.Core.Randomness;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>In training sets each number to 0 with a probability p and multiplies the others with 1 / (1 − p); in evaluation changes nothing.</summary>
/// <remarks>
/// <para>
/// x <c>[N, C, H, W]</c> → y, same shape. Whether a number is dropped is a function of (seed, layer, step, sample's place in the batch, element) and of nothing
/// else: whoever computes a micro-batch again drops the same. The backward pass draws the same mask again instead of keeping it.
/// </para>
/// Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout: a simple way to prevent neural networks from overfitting".
/// </remarks>
/// <param name="Probability">p, in [0, 1).</param>
public sealed record Dropout(float Probability) : Layer
{
    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => Probability is >= 0 and < 1
        ? inputs[0]
        : throw new ShapeException($"{name}: the probability to drop is at least 0 and below 1, got {Probability}.");

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes(inputs[0].Elements, Probability);

    private sealed unsafe class Passes(int elements, float probability) : Operation
    {
        private const int WordsOfDraw = 4;

        private readonly uint _threshold = (uint)(probability * 4294967296.0);
        private readonly float _scale = 1 / (1 - probability);

        public override bool WorksInPlace => true;

        public override void Forward(in Frame f)
        {
            if (f.Pass.Trains)
                Mask(f, f.Input, f.Output);
            else if (f.Input != f.Output)
                new ReadOnlySpan<float>(f.Input, elements * f.Blocks * Stripes.Count).CopyTo(new Span<float>(f.Output, elements * f.Blocks * Stripes.Count));
        }

        public override void Backward(in Frame f)
        {
            if (f.InputGradient != null)
                Mask(f, f.OutputGradient, f.InputGradient);
        }

        /// <summary>One draw decides on four consecutive elements of a sample.</summary>
        private void Mask(in Frame f, float* from, float* to)
        {
            var random = new Philox(f.Pass.Seed, Purpose.Dropout, f.Layer);
            uint step = (uint)f.Pass.Step;
            for (int block = 0; block < f.Blocks; block++)
            {
                for (int element = 0; element < elements; element += WordsOfDraw)
                {
                    nint row = (((nint)block * elements) + element) * Stripes.Count;
                    int rows = Math.Min(WordsOfDraw, elements - element);
                    for (int lane = 0; lane < Stripes.Count; lane++)
                    {
                        ulong sample = (ulong)(f.Pass.FirstSample + (block * Stripes.Count) + lane);
                        (uint a, uint b, uint c, uint d) = random.Block(step, (sample << 32) | (uint)(element / WordsOfDraw));
                        nint at = row + lane;
                        to[at] = a < _threshold ? 0 : from[at] * _scale;
                        if (rows > 1)
                            to[at + Stripes.Count] = b < _threshold ? 0 : from[at + Stripes.Count] * _scale;
                        if (rows > 2)
                            to[at + (2 * Stripes.Count)] = c < _threshold ? 0 : from[at + (2 * Stripes.Count)] * _scale;
                        if (rows > 3)
                            to[at + (3 * Stripes.Count)] = d < _threshold ? 0 : from[at + (3 * Stripes.Count)] * _scale;
                    }
                }
            }
        }
    }
}
