namespace ConvNet.Core.Layers;

/// <summary>Where an operation finds its numbers for one micro-batch. An operation is planned for one <see cref="Layout"/> of its inputs and output.</summary>
internal unsafe ref struct Frame
{
    /// <summary>The inputs' activations.</summary>
    public ReadOnlySpan<nint> Inputs;

    /// <summary>The inputs' gradients, to be overwritten; 0 where nobody needs one. Backward only.</summary>
    public ReadOnlySpan<nint> InputGradients;

    /// <summary>The output's activation: written forward, to be read backward.</summary>
    public float* Output;

    /// <summary>The output's gradient. Backward only.</summary>
    public float* OutputGradient;

    /// <summary>The layer's parameters, one after the other.</summary>
    public float* Parameters;

    /// <summary>Their gradients, to be overwritten. Backward only.</summary>
    public float* ParameterGradients;

    /// <summary>The layer's statistics, one after the other. In training those of this micro-batch, to be overwritten by the forward pass; else the running ones, to be read.</summary>
    public float* Statistics;

    /// <summary><see cref="Operation.SavedLength"/> floats that the forward pass may leave for the backward pass, 64-byte aligned.</summary>
    public float* Saved;

    /// <summary>The layer's number in its network: what tells its random numbers from another layer's.</summary>
    public int Layer;

    /// <summary>What kind of pass this is, and over which samples.</summary>
    public PassContext Pass;

    /// <summary>At least <see cref="Operation.ScratchLength"/> floats, 64-byte aligned, of any content.</summary>
    public float* Scratch;

    /// <summary>Blocks of 16 samples in this micro-batch.</summary>
    public int Blocks;

    /// <summary>The first input.</summary>
    public readonly float* Input => (float*)Inputs[0];

    /// <summary>The first input's gradient, or null.</summary>
    public readonly float* InputGradient => (float*)InputGradients[0];
}

/// <summary>A layer's passes for fixed shapes: made once, shared by all lanes, holding nothing that changes.</summary>
internal abstract class Operation
{
    /// <summary>Whether the backward pass reads the inputs' activations.</summary>
    public virtual bool BackwardReadsInput => false;

    /// <summary>Whether the backward pass reads the output's activation.</summary>
    public virtual bool BackwardReadsOutput => false;

    /// <summary>Whether the output is the input read in another way: then both may always share memory, and the passes do nothing where they do.</summary>
    public virtual bool IsView => false;

    /// <summary>Whether the output may overwrite the input, and the input's gradient the output's.</summary>
    public virtual bool WorksInPlace => false;

    /// <summary>Whether a max(0, ·) that follows may be done in this operation's forward pass; it is then told by <see cref="Rectified"/>.</summary>
    public virtual bool CanRectify => false;

    /// <summary>The same operation with max(0, ·) as its last forward step. The backward pass stays as it is.</summary>
    public virtual Operation Rectified() => throw new InvalidOperationException($"{GetType().Name} has no rectified form.");

    /// <summary>Floats of scratch that the passes need for a number of 16-sample blocks.</summary>
    public virtual int ScratchLength(int blocks) => 0;

    /// <summary>Floats that live from the forward to the backward pass, for a number of 16-sample blocks.</summary>
    public virtual int SavedLength(int blocks) => 0;

    /// <summary>Writes the output.</summary>
    public abstract void Forward(in Frame frame);

    /// <summary>Overwrites the inputs' and the parameters' gradients.</summary>
    public abstract void Backward(in Frame frame);
}
