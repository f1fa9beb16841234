using System.Text.Json.Serialization;
using MessagePack;

namespace ConvNet.Cluster.Jobs;

/// <summary>How a step moves the weights along their gradient.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent with momentum.</summary>
    Sgd = 0,

    /// <summary>Adam.</summary>
    Adam = 1,

    /// <summary>Adam with the decay of the weights apart from the gradient.</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW = 2,

    /// <summary>RMSProp.</summary>
    [JsonStringEnumMemberName("rmsprop")]
    RmsProp = 3,

    /// <summary>Adagrad.</summary>
    Adagrad = 4,

    /// <summary>SGD with a rate for each tensor.</summary>
    Lars = 5,
}

/// <summary>How the learning rate changes over a job.</summary>
public enum LearningRateSchedule
{
    /// <summary>It stays what it is.</summary>
    Constant = 0,

    /// <summary>It falls along half a cosine, by step.</summary>
    Cosine = 1,

    /// <summary>It is cut every so many epochs.</summary>
    Step = 2,

    /// <summary>It is cut at given epochs.</summary>
    MultiStep = 3,

    /// <summary>It is cut after each epoch.</summary>
    Exponential = 4,

    /// <summary>It falls along a power of what is left of the job, by step.</summary>
    Polynomial = 5,

    /// <summary>It rises, then falls to almost nothing.</summary>
    OneCycle = 6,
}

/// <summary>Which weights are a job's result.</summary>
public enum KeptWeights
{
    /// <summary>Those of its last step.</summary>
    Last = 0,

    /// <summary>Those of the epoch with the best accuracy on the test set; the first of several that are equally good.</summary>
    Best = 1,
}

/// <summary>The training recipe beyond what every job gives.</summary>
/// <remarks>Keys from 100: MessagePack wants the keys of the constructor's parameters before all others.</remarks>
public sealed partial record JobSpec
{
    /// <summary>How a step moves the weights along their gradient.</summary>
    [Key(100)]
    public OptimizerKind Optimizer { get; init; }

    /// <summary>Adam: how slowly the mean of the gradient forgets.</summary>
    [Key(101)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Adam: how slowly the mean of its square forgets.</summary>
    [Key(102)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>What keeps an optimizer from dividing by 0; null for what is usual for it.</summary>
    [Key(103)]
    public double? Epsilon { get; init; }

    /// <summary>RMSProp: how slowly the mean of the gradient's square forgets.</summary>
    [Key(104)]
    public double Alpha { get; init; } = 0.99;

    /// <summary>LARS: the length of a tensor's step as a share of the length of its weights.</summary>
    [Key(105)]
    public double TrustCoefficient { get; init; } = 0.001;

    /// <summary>Which parameters do not decay: see <see cref="DecayExclusions"/>.</summary>
    [Key(106)]
    public string DecayExclude { get; init; } = DecayExclusions.None;

    /// <summary>Over how many steps or epochs the rate rises to what it is; see <see cref="Jobs.WarmUp"/>. Empty for none.</summary>
    [Key(107)]
    public string WarmUp { get; init; } = "";

    /// <summary>Schedule step: epochs between two cuts.</summary>
    [Key(108)]
    public int StepSize { get; init; }

    /// <summary>Schedule multi-step: the epochs at which the rate is cut, ascending, with commas between them.</summary>
    [Key(109)]
    public string Milestones { get; init; } = "";

    /// <summary>Schedules with cuts: what the rate is multiplied with.</summary>
    [Key(110)]
    public double Gamma { get; init; } = 0.1;

    /// <summary>Schedules cosine and polynomial: the rate at the end.</summary>
    [Key(111)]
    public double MinLearningRate { get; init; }

    /// <summary>Schedule polynomial: the power.</summary>
    [Key(112)]
    public double Power { get; init; } = 1;

    /// <summary>Schedule one-cycle: share of the steps in which the rate rises.</summary>
    [Key(113)]
    public double PercentStart { get; init; } = 0.3;

    /// <summary>Schedule one-cycle: what the rate is divided by at the beginning.</summary>
    [Key(114)]
    public double DivisionFactor { get; init; } = 25;

    /// <summary>Schedule one-cycle: what the rate at the beginning is divided by at the end.</summary>
    [Key(115)]
    public double FinalDivisionFactor { get; init; } = 1e4;

    /// <summary>Elements of the mean gradient are cut to ± this; 0 for not at all.</summary>
    [Key(116)]
    public float ClipValue { get; init; }

    /// <summary>A mean gradient whose Euclidean norm over all parameters is greater is shortened to this; 0 for not at all.</summary>
    [Key(117)]
    public double ClipNorm { get; init; }

    /// <summary>The share of a label's weight that is spread over all classes, in training.</summary>
    [Key(118)]
    public float LabelSmoothing { get; init; }

    /// <summary>The job ends when so many epochs have brought no better accuracy on the test set; 0 for never.</summary>
    [Key(119)]
    public int EarlyStop { get; init; }

    /// <summary>Which weights are the result.</summary>
    [Key(120)]
    public KeptWeights Keep { get; init; }
}
