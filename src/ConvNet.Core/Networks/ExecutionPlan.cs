using ConvNet.Core.Layers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Networks;

/// <summary>A network planned for micro-batches of up to a number of samples: the passes, and where every activation and gradient lies in a lane's arena.</summary>
/// <remarks>
/// <para>
/// Made once and shared by all lanes; a <see cref="Workspace"/> is one lane's memory for it. After that a step allocates nothing.
/// </para>
/// <para>
/// Activations are <c>[block][C][H][W][16]</c> ("sample lanes"): 16 samples side by side in the innermost place, so a vector instruction does one pixel
/// of 16 samples whatever the number of channels; or <c>[sample][C/16][H][W][16]</c> ("channel lanes"), where the micro-batch is small. Both are planes of H×W
/// pixels of 16 lanes, and <see cref="Operation"/> is all that knows; <see cref="LayoutChoice"/> decides.
/// </para>
/// <para>
/// Time runs forward 0…L−1, the loss at L, backward L+1…2L. A buffer's life spans its first write to its last read, and the arena reuses what
/// is dead. Two savings on top: max(0, ·) is done by the operation before it where that can, and element-wise layers work in place.
/// </para>
/// </remarks>
public sealed class ExecutionPlan
{
    private readonly Arena.Buffer _input;
    private readonly Arena.Buffer _logSums;
    private readonly Arena.Buffer? _pixels;

    /// <summary>Plans a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="microBatch">Samples of a micro-batch at most.</param>
    /// <exception cref="ShapeException">A lane's arena would be larger than it can be, 8 GiB.</exception>
    public ExecutionPlan(Network network, int microBatch)
        : this(network, microBatch, sharesMemory: true)
    {
    }

    /// <summary>Plans a network; without sharing, every activation and gradient has a place of its own and every layer its own pass: the plain plan that tests hold the other against.</summary>
    internal ExecutionPlan(Network network, int microBatch, bool sharesMemory, bool? overChannels = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(microBatch, 1);
        (Network, MicroBatch) = (network, microBatch);
        Blocks = (microBatch + Stripes.Count - 1) / Stripes.Count;
        if (network.Nodes.Select(n => n.Output).Append(network.Input).Max(x => x.Elements) * (long)Blocks * Stripes.Count > int.MaxValue)
            throw TooLarge();
        int layers = network.Nodes.Count;
        LayoutChoice layouts = LayoutChoice.Of(network, microBatch, overChannels ?? LayoutChoice.PrefersChannels(network, microBatch));
        Pixels = layouts.Pixels;
        Steps = [.. network.Nodes.Select((n, i) => new Step(n, layouts.Operations[i], layouts.Outputs[i]) { TrainingOnly = network.IsTrainingOnly(i) })];
        var consumers = new List<int>[layers + 1];
        for (int i = 0; i <= layers; i++)
            consumers[i] = [.. Enumerable.Range(0, layers).Where(c => network.Nodes[c].Inputs.Contains(i - 1))];

        _input = new Arena.Buffer(Length(new Extent(network.Input, Layout.Samples)), born: 0);
        var buffers = new List<Arena.Buffer> { _input };
        if (Pixels != null)
            buffers.Add(_pixels = new Arena.Buffer(Length(new Extent(Pixels.Padded, Layout.Pixels)), born: 0));
        foreach ((Step step, int i) in Steps.Select((s, i) => (s, i)))
        {
            step.LeadsToParameters = step.Node.ParameterCount > 0 || step.Node.Inputs.Any(n => n >= 0 && Steps[n].LeadsToParameters);
            int from = step.Node.Inputs[0];
            bool alone = sharesMemory && from >= 0 && consumers[from + 1].Count == 1;
            if (alone && Steps[from].Output.Layout == step.Output.Layout && (step.Operation.IsView || (step.Operation.WorksInPlace && !OutputMustStay(from))))
            {
                // One buffer for both, in both directions.
                step.Activation = Steps[from].Activation;
                step.InPlace = true;
                if (step.Node.Layer is Relu && Steps[from].Operation.CanRectify)
                {
                    Steps[from].Operation = Steps[from].Operation.Rectified();
                    step.ForwardDone = true;
                }
            }
            else
            {
                step.Activation = new Arena.Buffer(Length(step.Output), born: i);
                buffers.Add(step.Activation);
            }

            foreach (int input in step.Node.Inputs)
                ActivationOf(input).UseAt(i);
            step.Activation.UseAt(i);
            int saved = step.Operation.SavedLength(Blocks);
            if (saved > 0)
                buffers.Add(step.Saved = new Arena.Buffer(saved, born: i));
        }

        int loss = layers;
        _logSums = new Arena.Buffer(Blocks * Stripes.Count, born: loss);
        buffers.Add(_logSums);
        foreach (int output in network.Auxiliaries.Select(a => a.Node).Append(layers - 1))
        {
            Steps[output].Activation.UseAt(loss);
            Steps[output].Gradient = new Arena.Buffer(Length(Steps[output].Output), born: loss);
            buffers.Add(Steps[output].Gradient!);
        }

        var written = new bool[layers];
        for (int i = layers - 1; i >= 0; i--)
        {
            Step step = Steps[i];
            int moment = (2 * layers) - i;
            if (!step.LeadsToParameters)
                continue;
            step.Gradient!.UseAt(moment);
            step.Saved?.UseAt(moment);
            if (step.Operation.BackwardReadsOutput)
                step.Activation.UseAt(moment);
            for (int k = 0; k < step.Node.Inputs.Count; k++)
            {
                int input = step.Node.Inputs[k];
                if (step.Operation.BackwardReadsInput)
                    ActivationOf(input).UseAt(moment);
                if (input < 0 || !Steps[input].LeadsToParameters)
                    continue;
                if (!written[input])
                {
                    // The first to be heard in the backward pass writes the gradient itself; the others write beside it and are added.
                    Steps[input].Gradient = step.InPlace ? step.Gradient : new Arena.Buffer(Length(Steps[input].Output), born: moment);
                    if (!step.InPlace)
                        buffers.Add(Steps[input].Gradient!);
                    written[input] = true;
                    step.InputGradients[k] = Steps[input].Gradient;
                }
                else
                {
                    step.InputGradients[k] = new Arena.Buffer(Length(Steps[input].Output), born: moment);
                    buffers.Add(step.InputGradients[k]!);
                    step.AddTo[k] = Steps[input].Gradient;
                }

                Steps[input].Gradient!.UseAt(moment);
            }
        }

        int end = 0;
        foreach (Step step in Steps)
        {
            step.FinalFrom = end;
            end = Math.Max(end, step.Node.FirstParameter + step.Node.ParameterCount);
        }

        ScratchLength = Steps.Max(s => s.Operation.ScratchLength(Blocks));
        try
        {
            ArenaLength = sharesMemory ? Arena.Place(buffers) : Arena.SideBySide(buffers);
        }
        catch (OverflowException)
        {
            throw TooLarge();
        }
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Samples of a micro-batch at most.</summary>
    public int MicroBatch { get; }

    /// <summary>Floats of a lane's arena: activations and gradients.</summary>
    public int ArenaLength { get; }

    /// <summary>Floats of a lane's scratch.</summary>
    public int ScratchLength { get; }

    /// <summary>16-sample blocks of a full micro-batch.</summary>
    internal int Blocks { get; }

    /// <summary>The layers' passes in order.</summary>
    internal IReadOnlyList<Step> Steps { get; }

    /// <summary>Where the samples go, in the arena.</summary>
    internal int InputOffset => _input.Offset;

    /// <summary>Where the first layers read the samples, in the arena.</summary>
    internal int FirstOffset => (_pixels ?? _input).Offset;

    /// <summary>How the first layer reads the samples, if not as they come.</summary>
    internal PixelInput? Pixels { get; }

    /// <summary>Where the loss keeps a number for each sample, in the arena.</summary>
    internal int LogSumsOffset => _logSums.Offset;

    /// <summary>Whether a later layer must leave a node's output as it is, because the node's backward pass, or that of a node it is a view of, reads it.</summary>
    private bool OutputMustStay(int node) => Steps[node].Operation.BackwardReadsOutput ||
        (Steps[node].InPlace && Steps[node].Operation.IsView && OutputMustStay(Steps[node].Node.Inputs[0]));

    private ShapeException TooLarge() =>
        new($"{Network.Name}: the activations of a micro-batch of {MicroBatch} samples take more than 8 GiB, the most that a lane can have. Choose a smaller micro-batch, or smaller images.");

    private int Length(Extent x) => checked(x.UnitFloats * x.Units(MicroBatch));

    private Arena.Buffer ActivationOf(int node) => node == Network.InputNode ? _pixels ?? _input : Steps[node].Activation;

    /// <summary>One layer in the plan.</summary>
    internal sealed class Step(Node node, Operation operation, Extent output)
    {
        public Node Node { get; } = node;

        /// <summary>The output's shape and layout.</summary>
        public Extent Output { get; } = output;

        public Operation Operation { get; set; } = operation;

        public Arena.Buffer Activation { get; set; } = null!;

        /// <summary>What the forward pass leaves for the backward pass besides activations; null for nothing.</summary>
        public Arena.Buffer? Saved { get; set; }

        /// <summary>Whether evaluation can do without this step.</summary>
        public bool TrainingOnly { get; init; }

        /// <summary>Gradient by the output; null where nobody needs it.</summary>
        public Arena.Buffer? Gradient { get; set; }

        /// <summary>Where the gradients by the inputs are written; null where nobody needs them.</summary>
        public Arena.Buffer?[] InputGradients { get; } = new Arena.Buffer?[node.Inputs.Count];

        /// <summary>What an input's gradient is added to after it was written; null for none.</summary>
        public Arena.Buffer?[] AddTo { get; } = new Arena.Buffer?[node.Inputs.Count];

        /// <summary>Output and input are one buffer.</summary>
        public bool InPlace { get; set; }

        /// <summary>The operation before this one has done this one's forward pass.</summary>
        public bool ForwardDone { get; set; }

        /// <summary>Once this step's backward pass and all later ones are done, gradients from here on are final: no parameter of an earlier step reaches further.</summary>
        public int FinalFrom { get; set; }

        /// <summary>Whether a trainable parameter lies here or before: otherwise no gradient is needed.</summary>
        public bool LeadsToParameters { get; set; }
    }
}
