using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Puts the channels of several inputs one after the other: where the branches of an Inception module meet. Szegedy et al. 2015, §4.</summary>
/// <remarks>x₁ <c>[N, C₁, H, W]</c>, x₂ <c>[N, C₂, H, W]</c>, … → y <c>[N, C₁ + C₂ + …, H, W]</c>.</remarks>
public sealed record Concat : Layer
{
    /// <inheritdoc/>
    public override int LeastInputs => 2;

    /// <inheritdoc/>
    public override int MostInputs => Any;

    /// <inheritdoc/>
    public override Shape OutputShape(string name, IReadOnlyList<Shape> inputs) => inputs.All(x => x.Height == inputs[0].Height && x.Width == inputs[0].Width)
        ? new Shape(checked(inputs.Sum(x => x.Channels)), inputs[0].Height, inputs[0].Width)
        : throw new ShapeException($"{name}: puts channels of one height and width together, got {string.Join(" and ", inputs)}.");

    /// <inheritdoc/>
    internal override Operation Plan(IReadOnlyList<Shape> inputs) => new Passes([.. inputs.Select(x => new Extent(x, Layout.Samples))]);

    /// <inheritdoc/>
    internal override Operation? PlanOverChannels(in ChannelPlan plan) => plan.Inputs.SkipLast(1).All(x => x.Channels % Stripes.Count == 0)
        ? new Passes([.. plan.Inputs.Select(x => new Extent(x, Layout.Channels))])
        : null;

    private sealed unsafe class Passes(Extent[] inputs) : Operation
    {
        private readonly int _all = inputs.Sum(x => x.UnitFloats);

        public override void Forward(in Frame f)
        {
            for (int unit = 0; unit < inputs[0].Units(in f); unit++)
            {
                float* y = f.Output + ((nint)unit * _all);
                for (int i = 0; i < inputs.Length; i++)
                {
                    int length = inputs[i].UnitFloats;
                    new ReadOnlySpan<float>((float*)f.Inputs[i] + ((nint)unit * length), length).CopyTo(new Span<float>(y, length));
                    y += length;
                }
            }
        }

        public override void Backward(in Frame f)
        {
            for (int unit = 0; unit < inputs[0].Units(in f); unit++)
            {
                float* dy = f.OutputGradient + ((nint)unit * _all);
                for (int i = 0; i < inputs.Length; i++)
                {
                    int length = inputs[i].UnitFloats;
                    if (f.InputGradients[i] != 0)
                        new ReadOnlySpan<float>(dy, length).CopyTo(new Span<float>((float*)f.InputGradients[i] + ((nint)unit * length), length));
                    dy += length;
                }
            }
        }
    }
}
