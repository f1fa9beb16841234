using ConvNet.Core.Kernels.Channels;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>Passes over channel lanes whose result goes on in sample lanes: where a network turns from images to features.</summary>
/// <param name="inner">The passes over channel lanes; null to change the lanes only.</param>
/// <param name="y">The shape that changes lanes.</param>
/// <param name="samples">Samples of a micro-batch at most.</param>
internal sealed unsafe class LeavingChannels(Operation? inner, Shape y, int samples) : Operation
{
    private readonly int _between = new Extent(y, Layout.Channels).UnitFloats;

    public override int ScratchLength(int blocks) => inner == null ? 0 : samples * _between;

    public override void Forward(in Frame f)
    {
        float* between = f.Input;
        if (inner != null)
        {
            Frame part = f;
            part.Output = between = f.Scratch;
            inner.Forward(in part);
        }

        LaneChange.ToSamples(between, f.Output, y, f.Pass.Samples);
    }

    public override void Backward(in Frame f)
    {
        if (f.InputGradient == null)
            return;
        LaneChange.ToChannels(f.OutputGradient, inner == null ? f.InputGradient : f.Scratch, y, f.Pass.Samples);
        if (inner == null)
            return;
        Frame part = f;
        part.OutputGradient = f.Scratch;
        inner.Backward(in part);
    }
}
