using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>What a layer is: its kind and its settings, no numbers and no state. The arithmetic is in <c>Kernels/</c>.</summary>
/// <remarks>
/// Layers are values: two with the same settings are equal, and a network of them can be written to a file or sent to another machine.
/// A layer's shapes are those of one sample; the batch dimension is added by the plan.
/// </remarks>
public abstract record Layer
{
    /// <summary>Inputs that the layer takes at least.</summary>
    public virtual int LeastInputs => 1;

    /// <summary>Inputs that the layer takes at most.</summary>
    public virtual int MostInputs => LeastInputs;

    /// <summary>What layers that join any number of inputs take at most.</summary>
    private protected const int Any = 1024;

    /// <summary>The output's shape.</summary>
    /// <param name="name">The layer's name in its network, for messages.</param>
    /// <param name="inputs">The inputs' shapes, as many as the layer takes.</param>
    /// <exception cref="ShapeException">The inputs do not fit; the message says why.</exception>
    public abstract Shape OutputShape(string name, IReadOnlyList<Shape> inputs);

    /// <summary>The layer's trainable parameters for inputs of these shapes, in the order in which they lie in the flat buffer.</summary>
    public virtual IReadOnlyList<ParameterSpec> Parameters(IReadOnlyList<Shape> inputs) => [];

    /// <summary>The running statistics that the layer keeps for inputs of these shapes, in the order in which they lie behind the parameters.</summary>
    public virtual IReadOnlyList<StatisticSpec> Statistics(IReadOnlyList<Shape> inputs) => [];

    /// <summary>Multiply-adds of one sample's forward pass.</summary>
    public virtual long MultiplyAdds(IReadOnlyList<Shape> inputs) => 0;

    /// <summary>The layer's passes over sample lanes, planned for these shapes.</summary>
    internal abstract Operation Plan(IReadOnlyList<Shape> inputs);

    /// <summary>The layer's passes over channel lanes, planned for these shapes; null where it has none.</summary>
    internal virtual Operation? PlanOverChannels(in ChannelPlan plan) => null;

    /// <summary>Whether <see cref="PlanOverChannels"/> reads channel lanes and writes sample lanes.</summary>
    internal virtual bool LeavesChannels => false;
}
