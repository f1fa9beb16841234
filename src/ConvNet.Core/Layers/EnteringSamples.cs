using ConvNet.Core.Kernels.Channels;

namespace ConvNet.Core.Layers;

/// <summary>Passes over sample lanes whose inputs, or some of them, lie over channel lanes: they change lanes on the way, in both directions.</summary>
/// <remarks>For what has no passes over channel lanes: a fully connected layer over an image, grouped convolutions. The changed inputs live in the scratch, so the backward pass changes them again.</remarks>
/// <param name="inner">The passes over sample lanes.</param>
/// <param name="inputs">The inputs.</param>
/// <param name="samples">Samples of a micro-batch at most.</param>
internal sealed unsafe class EnteringSamples(Operation inner, Extent[] inputs, int samples) : Operation
{
    public override bool BackwardReadsInput => inner.BackwardReadsInput;

    public override bool BackwardReadsOutput => inner.BackwardReadsOutput;

    public override bool CanRectify => inner.CanRectify;

    public override Operation Rectified() => new EnteringSamples(inner.Rectified(), inputs, samples);

    public override int SavedLength(int blocks) => inner.SavedLength(blocks);

    public override int ScratchLength(int blocks) => checked((2 * inputs.Sum(x => Changed(x, samples))) + inner.ScratchLength(blocks));

    public override void Forward(in Frame f)
    {
        Span<nint> changed = stackalloc nint[inputs.Length];
        scoped Frame part = f;
        part.Scratch = Change(in f, f.Scratch, changed);
        part.Inputs = changed;
        inner.Forward(in part);
    }

    public override void Backward(in Frame f)
    {
        Span<nint> changed = stackalloc nint[inputs.Length], gradients = stackalloc nint[inputs.Length];
        scoped Frame part = f;
        float* scratch = inner.BackwardReadsInput ? Change(in f, f.Scratch, changed) : f.Scratch;
        part.Inputs = changed;
        for (int i = 0; i < inputs.Length; i++)
        {
            bool changes = f.InputGradients[i] != 0 && inputs[i].Layout == Layout.Channels;
            gradients[i] = changes ? (nint)scratch : f.InputGradients[i];
            if (changes)
                scratch += Changed(inputs[i], f.Pass.Samples);
        }

        part.InputGradients = gradients;
        part.Scratch = scratch;
        inner.Backward(in part);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (gradients[i] != f.InputGradients[i])
                LaneChange.ToChannels((float*)gradients[i], (float*)f.InputGradients[i], inputs[i].Shape, f.Pass.Samples);
        }
    }

    /// <summary>Changes the lanes of the inputs; returns the scratch behind them.</summary>
    private float* Change(in Frame f, float* scratch, Span<nint> changed)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            changed[i] = f.Inputs[i];
            if (inputs[i].Layout != Layout.Channels)
                continue;
            changed[i] = (nint)scratch;
            LaneChange.ToSamples((float*)f.Inputs[i], scratch, inputs[i].Shape, f.Pass.Samples);
            scratch += Changed(inputs[i], f.Pass.Samples);
        }

        return scratch;
    }

    /// <summary>Floats of an input over sample lanes; none where it is there already.</summary>
    private static int Changed(Extent x, int samples)
    {
        var over = new Extent(x.Shape, Layout.Samples);
        return x.Layout == Layout.Channels ? over.Units(samples) * over.UnitFloats : 0;
    }
}
